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
    .detail = Ein auf einen Geschäftspartner beschränktes Token hat keinen Zugriff auf das, was alle Partner teilen.
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
duplicate_name = Name vergeben
    .detail = Ein anderer Eintrag dieser Liste hat bereits diesen Namen; Groß- und Kleinschreibung machen keinen Unterschied.
area_in_use = Bereich wird verwendet
    .detail = An diesen Bereich sind Tags gebunden ({ $count }): { $names }. Ändern oder löschen Sie diese zuerst.
limit_reached = Grenze erreicht
    .detail = Mehr als { $max } kann es davon nicht geben.
revision_not_reached = Revision nicht erreicht
    .detail = Die Konfiguration des Geschäftspartners steht bei Revision { $revision }, vor der verlangten.
precondition_failed = Vorbedingung nicht erfüllt
    .detail = Die Ressource ist nicht in dem Zustand, den die Anfrage erwartet. Lesen Sie sie neu und wiederholen Sie die Änderung.
body_too_large = Inhalt zu groß
    .detail = Der Inhalt ist größer als { $max } Byte.
unsupported_media_type = Medientyp nicht unterstützt
    .detail = Senden Sie den Inhalt unkomprimiert als application/json{ $merge_patch ->
        [yes] {" "}oder application/merge-patch+json.
       *[no] .
    }
uri_too_long = Adresse zu lang
    .detail = Pfad und Abfrage der Anfrage dürfen { $max } Bytes haben.
headers_too_large = Kopfzeilen zu groß
    .detail = Alle Kopfzeilen der Anfrage zusammen dürfen { $max } Bytes haben.
too_many_requests = Zu viele Anfragen
    .detail = Sie stellen mehr Anfragen, als Sie dürfen. Versuchen Sie es in { $seconds } Sekunden erneut.
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
area_not_granted = Bereich nicht freigegeben
    .detail = Der Bereich { $id } ist für diesen Partner nicht freigegeben.
unknown_access = Unbekannter Kundenzugang
    .detail = Einen solchen Kundenzugang gibt es nicht.
required = Pflichtfeld
    .detail = Dies muss angegeben werden und darf nicht leer sein.
exactly_one = Genau eines
    .detail = Genau eines davon muss angegeben sein: { $allowed }.
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
invalid_time = Ungültiger Zeitpunkt
    .detail = Ein Zeitpunkt wird nach RFC 3339 geschrieben: 2026-11-23T08:00:00Z.
invalid_duration = Ungültige Dauer
    .detail = Eine Dauer ist positiv, höchstens 100 Jahre lang und wird nach ISO 8601 geschrieben: P30D.
too_deep = Zu tief verschachtelt
    .detail = Gruppen können höchstens { $max } tief verschachtelt sein.
too_many_conditions = Zu viele Bedingungen
    .detail = Ein Filter kann höchstens { $max } Bedingungen haben.
too_many_values = Zu viele Werte
    .detail = Hier sind höchstens { $max } Werte erlaubt.
filter_too_large = Filter zu groß
    .detail = Ein Filter kann in seiner kürzesten Form höchstens { $max } Byte haben.
no_area = Kein Bereich
    .detail = Es ist kein Bereich freigegeben.
no_ticket_type = Keine Ticketart
    .detail = Es ist keine Ticketart freigegeben.
internal_error = Interner Fehler
    .detail = Bei uns ist etwas schiefgegangen. Nennen Sie uns die Anfrage-ID { $request_id }.
overloaded = Überlastet
    .detail = Der Dienst bearbeitet gerade so viele Anfragen, wie er kann. Versuchen Sie es gleich noch einmal.
storage_full = Speicher ist voll
    .detail = Der Dienst hat keinen Platz, um die Änderung zu speichern. Nichts wurde geändert. Sein Betreiber muss Platz schaffen.
unavailable = Vorübergehend nicht erreichbar
    .detail = Der Dienst kann gerade nicht antworten. Versuchen Sie es in Kürze erneut.

## Wie ein Ticketfilter gesagt wird. `field-…` ist die Beschriftung eines Felds, das Attribut `inline` dieselbe im Satz.

field-area = Bereich
    .inline = Bereich
field-ticket_type = Ticketart
    .inline = Ticketart
field-status = Status
    .inline = Status
field-closure = Abschluss
    .inline = Abschluss
field-urgency = Dringlichkeit
    .inline = Dringlichkeit
field-impact = Auswirkung
    .inline = Auswirkung
field-tag = Tags
    .inline = Tags
field-released = Freigegeben
    .inline = freigegeben
field-confidential = Vertraulich
    .inline = vertraulich
field-main_contact = Hauptansprechpartner
    .inline = Hauptansprechpartner
field-created_by = Erstellt von
    .inline = Ersteller
field-entry_channel = Eingangskanal
    .inline = Eingangskanal
field-project = Projekt
    .inline = Projekt
field-service_contract = Servicevertrag
    .inline = Servicevertrag
field-subject = Betreff
    .inline = Betreff
field-reference_number = Referenznummer
    .inline = Referenznummer
field-created_at = Erstellt am
    .inline = erstellt
operator-in = ist
operator-not_in = ist nicht
operator-any_of = enthalten einen von
operator-all_of = enthalten alle von
operator-none_of = enthalten keinen von
operator-is = ist
operator-is_self = ist der Zugang selbst
operator-contains = enthält
operator-equals = ist gleich
operator-before = vor
operator-after = nach
operator-older_than = ist länger her als
operator-newer_than = ist weniger lang her als
word-open = offen
word-in_progress = in Bearbeitung
word-parked = geparkt
word-closed = geschlossen
word-completed = erledigt
word-cancelled = abgebrochen
word-withdrawn = zurückgezogen
word-low = niedrig
word-medium = mittel
word-high = hoch
word-true = ja
word-false = nein
clause-in = { $field } ist { $either }
clause-not_in = { $field } ist nicht { $either }
clause-any_of = { $field } enthalten { $either }
clause-all_of = { $field } enthalten { $both }
clause-none_of = { $count ->
        [one] { $field } enthalten nicht { $both }
       *[other] { $field } enthalten keinen von { $both }
    }
clause-is = { $value ->
        [true] Ticket ist { $field }
       *[other] Ticket ist nicht { $field }
    }
clause-is_self = { $field } ist der Zugang selbst
clause-contains = { $field } enthält { $either }
clause-equals = { $field } ist { $either }
clause-before = { $field } vor { $either }
clause-after = { $field } nach { $either }
clause-older_than = { $field } vor mehr als { $both }
clause-newer_than = { $field } vor weniger als { $both }
joined-all = { $left } und { $right }
joined-any = { $left } oder { $right }
group-nested = ({ $inner })
group-none = nicht ({ $inner })
more = { $count } weitere
sentence = { $text }.
quoted = „{ $text }“
time-pattern = %d.%m.%Y %H:%M:%S UTC
period-years = { $number ->
        [one] { $number } Jahr
       *[other] { $number } Jahren
    }
period-months = { $number ->
        [one] { $number } Monat
       *[other] { $number } Monaten
    }
period-weeks = { $number ->
        [one] { $number } Woche
       *[other] { $number } Wochen
    }
period-days = { $number ->
        [one] { $number } Tag
       *[other] { $number } Tagen
    }
period-hours = { $number ->
        [one] { $number } Stunde
       *[other] { $number } Stunden
    }
period-minutes = { $number ->
        [one] { $number } Minute
       *[other] { $number } Minuten
    }
period-seconds = { $number ->
        [one] { $number } Sekunde
       *[other] { $number } Sekunden
    }

## Wie ein Schritt einer Entscheidung in Worten lautet.

step-integration_inactive = { $case ->
        [pass] Die Kundenintegration ist aktiv.
       *[deny] Die Kundenintegration ist inaktiv.
    }
step-business_partner_inactive = { $case ->
        [pass] Der Geschäftspartner ist aktiv.
       *[deny] Das ERP hat den Geschäftspartner stillgelegt.
    }
step-access_inactive = { $case ->
        [pass] Der Kundenzugang ist aktiv.
       *[deny] Der Kundenzugang ist inaktiv.
    }
step-other_business_partner = { $case ->
        [pass] Das Ticket gehört zu diesem Geschäftspartner.
       *[deny] Das Ticket gehört zu einem anderen Geschäftspartner.
    }
step-ticket_internal = { $case ->
        [pass] Das Ticket ist nicht intern.
       *[deny] Das Ticket ist intern; interne Tickets sind immer verborgen.
    }
step-ticket_confidential = { $case ->
        [pass] Das Ticket ist nicht vertraulich.
        [main_contact] Das Ticket ist vertraulich, und der Kundenzugang ist sein Hauptansprechpartner.
        [undetermined] Das Ticket ist vertraulich, und sein Hauptansprechpartner wurde nicht genannt.
       *[deny] Das Ticket ist vertraulich, und der Kundenzugang ist nicht sein Hauptansprechpartner.
    }
step-area_not_granted = { $case ->
        [pass] Der Bereich { $name } ist freigegeben.
        [retired] Der Bereich { $name } ist freigegeben, aber das ERP hat ihn stillgelegt.
       *[deny] Der Bereich { $name } ist nicht freigegeben.
    }
step-excluded_by_global_rule = { $case ->
        [pass] Keine kundenübergreifende Ausschlussregel trifft zu.
       *[deny] { $count ->
            [one] Die kundenübergreifende Ausschlussregel { $rules } verbirgt das Ticket.
           *[other] Die kundenübergreifenden Ausschlussregeln { $rules } verbergen das Ticket.
        }
    }
step-excluded_by_global_rule_undetermined = { $count ->
        [one] Ob die kundenübergreifende Ausschlussregel { $rules } zutrifft, ist nicht zu sagen, weil eine Angabe fehlt; daher ist das Ticket verborgen.
       *[other] Ob die kundenübergreifenden Ausschlussregeln { $rules } zutreffen, ist nicht zu sagen, weil eine Angabe fehlt; daher ist das Ticket verborgen.
    }
step-excluded_by_rule = { $case ->
        [pass] Keine Ausschlussregel des Geschäftspartners trifft zu.
       *[deny] { $count ->
            [one] Die Ausschlussregel { $rules } verbirgt das Ticket.
           *[other] Die Ausschlussregeln { $rules } verbergen das Ticket.
        }
    }
step-excluded_by_rule_undetermined = { $count ->
        [one] Ob die Ausschlussregel { $rules } zutrifft, ist nicht zu sagen, weil eine Angabe fehlt; daher ist das Ticket verborgen.
       *[other] Ob die Ausschlussregeln { $rules } zutreffen, ist nicht zu sagen, weil eine Angabe fehlt; daher ist das Ticket verborgen.
    }
step-not_own_ticket = { $case ->
        [pass] Der Kundenzugang sieht alle Tickets des Geschäftspartners.
        [own] Der Kundenzugang ist Hauptansprechpartner oder Ersteller des Tickets.
        [undetermined] Der Kundenzugang sieht nur eigene Tickets, und ob dies eines ist, wurde nicht angegeben.
       *[deny] Der Kundenzugang sieht nur eigene Tickets, und dies ist keines.
    }
step-role_may_not_create = Nur Bearbeiter und Dispatcher dürfen Tickets erstellen.
step-ticket_type_not_granted = { $case ->
        [retired] Die Ticketart { $name } ist freigegeben, aber das ERP hat sie stillgelegt.
       *[deny] Die Ticketart { $name } ist nicht freigegeben.
    }
step-ticket_type_not_startable = Tickets der Art { $name } können in diesem Bereich nicht eröffnet werden.
