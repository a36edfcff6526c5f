### Was Aufrufer lesen, auf Deutsch. Jede Nachricht ist der Titel eines Problems, ihr Attribut `detail` sagt, was geschah.

malformed_json = Inhalt ist kein JSON
    .detail = Der Inhalt kann nicht als JSON gelesen werden: { $reason }
unknown_member = Unbekanntes Feld
    .detail = Der Inhalt hat ein Feld, das diese Operation nicht kennt: { $member }
wrong_type = Falscher Typ
    .detail = Ein Feld des Inhalts hat den falschen Typ: { $reason }
invalid_parameter = Ungültiger Parameter
    .detail = Ein Parameter im Pfad, in der Abfrage oder in einem Header ist unbrauchbar.
unknown_parameter = Unbekannter Parameter
    .detail = Diese Operation kennt den Abfrageparameter { $name } nicht.
invalid_cursor = Ungültiger Cursor
    .detail = Der Cursor gehört nicht zu dieser Liste in dieser Reihenfolge. Beginnen Sie ohne Cursor.
bad_request = Fehlerhafte Anfrage
    .detail = Die Anfrage kann nicht gelesen werden.
missing_token = Token fehlt
    .detail = Senden Sie ein Bearer-Token im Authorization-Header.
invalid_token = Token ungültig
    .detail = { $reason ->
        [expired] Das Token ist abgelaufen.
        [not_yet_valid] Das Token ist noch nicht gültig.
        [issuer] Der Aussteller des Tokens wird nicht anerkannt.
        [audience] Das Token ist nicht für diesen Dienst bestimmt.
       *[other] Das Token kann nicht anerkannt werden.
    }
insufficient_scope = Berechtigung fehlt
    .detail = Diese Operation benötigt ein Token mit dem Scope { $scope }.
partner_restricted = Token gilt nur für einen Geschäftspartner
    .detail = Ein auf einen Geschäftspartner beschränktes Token kann nicht ändern, was alle Partner teilen.
not_found = Nicht gefunden
    .detail = Diese Ressource gibt es nicht.
unknown_route = Unbekannter Pfad
    .detail = Unter diesem Pfad gibt es keine Operation.
method_not_allowed = Methode nicht erlaubt
    .detail = Dieser Pfad nimmt diese Methode nicht an; erlaubt: { $allowed }.
integration_inactive = Kundenintegration ist inaktiv
    .detail = Solange die Kundenintegration inaktiv ist, kann ihre Konfiguration gelesen, aber nicht geändert werden. Aktivieren Sie sie zuerst.
integration_incomplete = Kundenintegration ist unvollständig
    .detail = Ein Zugang kann nur aktiv sein, solange mindestens ein Bereich und eine Ticketart freigegeben sind.
last_area = Letzter Bereich
    .detail = Der letzte Bereich kann nicht entfernt werden, solange Zugänge aktiv sind ({ $active_accesses }).
last_ticket_type = Letzte Ticketart
    .detail = Die letzte Ticketart kann nicht entfernt werden, solange Zugänge aktiv sind ({ $active_accesses }).
duplicate_email = E-Mail-Adresse vergeben
    .detail = Ein anderer Zugang hat bereits diese E-Mail-Adresse.
duplicate_contact = Kontakt vergeben
    .detail = Ein anderer Zugang dieses Partners gehört bereits zu diesem Kontakt.
limit_reached = Grenze erreicht
    .detail = Mehr als { $max } kann es davon nicht geben.
precondition_failed = Vorbedingung nicht erfüllt
    .detail = Die Ressource ist nicht in dem Zustand, den die Anfrage erwartet. Lesen Sie sie neu und wiederholen Sie die Änderung.
body_too_large = Inhalt zu groß
    .detail = Der Inhalt ist größer als { $max } Byte.
unsupported_media_type = Medientyp nicht unterstützt
    .detail = Senden Sie den Inhalt unkomprimiert als application/json{ $merge_patch ->
        [yes] {" "}oder application/merge-patch+json.
       *[no] .
    }
request_timeout = Anfrage dauerte zu lange
    .detail = Der Inhalt kam nicht innerhalb von { $seconds } Sekunden vollständig an.
validation_failed = Prüfung fehlgeschlagen
    .detail = Einige Felder des Inhalts können nicht angenommen werden; siehe errors.
approver_role = Genehmiger braucht eine andere Rolle
    .detail = Ein Genehmiger braucht die Rolle editor (Bearbeiter) oder dispatcher; die Rolle ist { $role }.
unknown_reference = Unbekannter Verweis
    .detail = Der Katalog hat keinen Eintrag { $id }.
retired_reference = Stillgelegter Verweis
    .detail = Der Katalogeintrag { $id } wurde stillgelegt und kann nicht freigegeben werden.
required = Pflichtfeld
    .detail = Dies muss angegeben werden und darf nicht leer sein.
too_short = Zu kurz
    .detail = Mindestens { $min } Zeichen sind nötig.
too_long = Zu lang
    .detail = Höchstens { $max } sind erlaubt.
out_of_range = Außerhalb des Bereichs
    .detail = Erlaubt: { $allowed }.
control_character = Steuerzeichen
    .detail = Steuerzeichen sind nicht erlaubt.
invalid_id = Ungültige ID
    .detail = Dies ist keine ID.
invalid_email = Ungültige E-Mail-Adresse
    .detail = Dies ist keine E-Mail-Adresse.
invalid_color = Ungültige Farbe
    .detail = Eine Farbe wird #RRGGBB geschrieben.
unknown_value = Unbekannter Wert
    .detail = Dies ist keiner der möglichen Werte: { $allowed }.
duplicate_value = Doppelter Wert
    .detail = Dieser Wert kommt zweimal vor.
no_area = Kein Bereich
    .detail = Es ist kein Bereich freigegeben.
no_ticket_type = Keine Ticketart
    .detail = Es ist keine Ticketart freigegeben.
internal_error = Interner Fehler
    .detail = Bei uns ist etwas schiefgegangen. Nennen Sie uns die Anfrage-ID { $request_id }.
unavailable = Vorübergehend nicht erreichbar
    .detail = Der Dienst kann gerade nicht antworten. Versuchen Sie es in Kürze erneut.
