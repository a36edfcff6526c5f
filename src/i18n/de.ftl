### Deutsche Texte der API. Die Nachricht eines Problems ist sein Titel, `detail` die Erläuterung, `remedy` die Abhilfe.

malformed_json = Ungültiges JSON
    .detail = { $reason ->
        [empty] Der Request-Body ist leer.
        [incomplete] Das JSON des Request-Bodys ist unvollständig.
       *[syntax] Der Request-Body ist kein gültiges JSON (Zeile { $line }, Spalte { $column }).
    }
    .remedy = Erzeugen Sie den Request-Body mit einer JSON-Bibliothek in UTF-8, und vergleichen Sie Content-Length mit der Länge der gesendeten Daten.
unknown_member = Unbekanntes Feld
    .detail = Der Request-Body enthält ein unbekanntes Feld: { $member }
    .remedy = Vergleichen Sie den Namen mit dem Schema der Operation unter /docs. Entfernen oder berichtigen Sie das Feld.
wrong_type = Falscher Typ
    .detail = { $expected ->
        [string] Hier ist ein Text erforderlich.
        [boolean] Hier ist true oder false erforderlich.
        [integer] Hier ist eine ganze Zahl erforderlich.
        [number] Hier ist eine Zahl erforderlich.
        [list] Hier ist eine Liste erforderlich.
        [object] Hier ist ein Objekt erforderlich.
        [once] Das Feld kommt mehrfach vor.
       *[valid] Der Wert hat den falschen Typ.
    }
    .remedy = Vergleichen Sie den Wert mit dem Schema der Operation unter /docs.
invalid_parameter = Ungültiger Parameter
    .detail = Ein Pfad-Parameter, Query-Parameter oder Header ist ungültig.
    .remedy = Beachten Sie errors: Dort stehen der Parameter und der Grund.
unknown_parameter = Unbekannter Parameter
    .detail = Der Query-Parameter { $name } ist unbekannt.
    .remedy = Vergleichen Sie den Namen mit den Parametern der Operation unter /docs. Groß- und Kleinschreibung zählt.
invalid_cursor = Ungültiger Cursor
    .detail = Der Cursor passt nicht zu dieser Liste und Sortierung. Beginnen Sie noch einmal ohne Cursor.
    .remedy = Lesen Sie wieder ab der ersten Seite, und verwenden Sie einen Cursor nur mit der Liste, den Filtern und der Sortierung, aus denen er stammt.
bad_request = Fehlerhafte Anfrage
    .detail = Die Anfrage ist fehlerhaft aufgebaut.
    .remedy = Prüfen Sie den HTTP-Client und die Proxys dazwischen: Die Anfrage entspricht nicht dem HTTP-Standard.
missing_token = Token fehlt
    .detail = Senden Sie ein Bearer-Token im Authorization-Header.
    .remedy = Beziehen Sie ein Access-Token vom Identity-Provider, und senden Sie es mit jeder Anfrage.
invalid_token = Token ungültig
    .detail = { $reason ->
        [malformed] Das Token ist kein signiertes JWT mit höchstens 8 KiB, oder es wurde mehrfach gesendet.
        [type] Das Token ist kein Access-Token (Header typ).
        [critical_extension] Das Token verlangt eine nicht unterstützte Erweiterung (Header crit).
        [sender_constrained] Das Token ist an einen Schlüssel des Clients gebunden (Claim cnf). Das wird nicht unterstützt.
        [issuer] Der Aussteller des Tokens wird nicht akzeptiert.
        [algorithm] Das Token ist mit einem nicht unterstützten Algorithmus signiert.
        [not_yet_valid] Das Token ist noch nicht gültig.
        [audience] Das Token ist nicht für diesen Dienst bestimmt.
        [missing_claim] Dem Token fehlt der Claim { $claim }.
        [invalid_claim] Der Claim { $claim } des Tokens ist ungültig.
       *[other] Das Token wird nicht akzeptiert.
    }
    .remedy = Beziehen Sie ein neues Access-Token. Wird auch dieses abgelehnt, vergleichen Sie Aussteller und Empfänger mit den Einstellungen des Dienstes.
token_expired = Token abgelaufen
    .detail = Das Token ist abgelaufen. Fordern Sie beim Identity-Provider ein neues an.
    .remedy = Fordern Sie beim Identity-Provider ein neues Access-Token an, und wiederholen Sie die Anfrage damit.
insufficient_scope = Berechtigung fehlt
    .detail = Diese Operation benötigt ein Token mit dem Scope { $scope }.
    .remedy = Beziehen Sie ein Token mit diesem Scope, oder lassen Sie ihn dem Client vom Administrator des Identity-Providers erteilen.
partner_restricted = Token gilt nur für einen Geschäftspartner
    .detail = Ein auf einen Geschäftspartner beschränktes Token hat keinen Zugriff auf partnerübergreifende Daten.
    .remedy = Verwenden Sie für diese Operation ein Token ohne den Claim business_partner_id.
not_found = Nicht gefunden
    .detail = Die Ressource existiert nicht.
    .remedy = Prüfen Sie die IDs im Pfad. Auch Ressourcen anderer Geschäftspartner werden nicht gefunden.
unknown_route = Unbekannter Pfad
    .detail = Unter diesem Pfad gibt es keine Operation.
    .remedy = Vergleichen Sie den Pfad mit /docs. Pfade der API beginnen mit /api/v1.
method_not_allowed = Methode nicht erlaubt
    .detail = Der Pfad unterstützt diese Methode nicht. Erlaubte Methoden: { $allowed }.
    .remedy = Verwenden Sie eine der Methoden im Header Allow.
integration_inactive = Kundenintegration ist inaktiv
    .detail = Die Konfiguration einer inaktiven Kundenintegration kann gelesen, aber nicht geändert werden. Aktivieren Sie zuerst die Kundenintegration.
    .remedy = Aktivieren Sie die Kundenintegration mit PATCH und active: true, und wiederholen Sie die Anfrage.
integration_incomplete = Kundenintegration ist unvollständig
    .detail = Kundenzugänge können nur aktiv sein, solange mindestens ein Bereich und eine Ticketart freigeschaltet sind.
    .remedy = Schalten Sie frei, was errors nennt, oder legen Sie den Kundenzugang mit active: false an.
last_area = Letzter Bereich
    .detail = Der letzte Bereich kann nicht entzogen werden, solange Kundenzugänge aktiv sind ({ $active_accesses }).
    .remedy = Schalten Sie zuerst einen anderen Bereich frei, oder deaktivieren Sie die Kundenzugänge.
last_ticket_type = Letzte Ticketart
    .detail = Die letzte Ticketart kann nicht entzogen werden, solange Kundenzugänge aktiv sind ({ $active_accesses }).
    .remedy = Schalten Sie zuerst eine andere Ticketart frei, oder deaktivieren Sie die Kundenzugänge.
duplicate_email = E-Mail-Adresse vergeben
    .detail = Diese E-Mail-Adresse wird bereits von einem anderen Kundenzugang verwendet.
    .remedy = Suchen Sie den Kundenzugang mit GET /api/v1/accesses?email=…, und ändern Sie ihn, oder verwenden Sie eine andere Adresse.
duplicate_contact = Kontakt vergeben
    .detail = Ein anderer Kundenzugang dieses Geschäftspartners gehört bereits zu diesem Kontakt.
    .remedy = Ändern Sie den Kundenzugang, den der Kontakt bereits hat.
duplicate_name = Name vergeben
    .detail = Dieser Name wird in dieser Liste bereits verwendet (ohne Beachtung der Groß- und Kleinschreibung).
    .remedy = Wählen Sie einen anderen Namen, oder ändern Sie den vorhandenen Eintrag.
area_in_use = Bereich wird verwendet
    .detail = Auf diesen Bereich sind Tags beschränkt ({ $count }): { $names }. Ändern oder löschen Sie diese zuerst.
    .remedy = Ordnen Sie die Tags in references einem anderen Bereich zu, oder löschen Sie sie, und wiederholen Sie die Anfrage.
tag_in_use = Tag wird verwendet
    .detail = Aktive Ausschlussregeln verwenden diesen Tag ({ $count }): { $names }. Ändern Sie zuerst diese Regeln, oder senden Sie references=keep.
    .remedy = Ändern Sie zuerst die Regeln in references. Mit references=keep bleiben sie unverändert und treffen auf Tickets mit dem umbenannten Tag nicht mehr zu.
incomplete_order = Unvollständige Reihenfolge
    .detail = Die Reihenfolge muss alle Abfragen des Geschäftspartners enthalten. Es fehlen: { $count }. Laden Sie die Liste neu.
    .remedy = Laden Sie die Liste der Abfragen neu, und senden Sie alle IDs in der neuen Reihenfolge.
limit_reached = Grenze erreicht
    .detail = Es sind höchstens { $max } Einträge erlaubt.
    .remedy = Löschen Sie Einträge, die nicht mehr benötigt werden, oder verwenden Sie sie weiter.
revision_not_reached = Revision nicht erreicht
    .detail = Die Konfiguration des Geschäftspartners hat erst Revision { $revision }; die verlangte ist noch nicht erreicht.
    .remedy = Warten Sie, bis die Änderung mit dieser Revision bestätigt ist, und wiederholen Sie die Anfrage. Revisionen gelten je Geschäftspartner.
precondition_failed = Vorbedingung nicht erfüllt
    .detail = Die Ressource erfüllt die Bedingung If-Match oder If-None-Match der Anfrage nicht. Lesen Sie sie neu und wiederholen Sie die Änderung.
    .remedy = Lesen Sie die Ressource neu, übertragen Sie die Änderung auf den aktuellen Stand, und senden Sie das neue ETag.
body_too_large = Request-Body zu groß
    .detail = Der Request-Body darf höchstens { $max } Byte groß sein.
    .remedy = Teilen Sie die Anfrage in mehrere kleinere auf.
unsupported_media_type = Medientyp nicht unterstützt
    .detail = Senden Sie den Request-Body unkomprimiert als application/json{ $merge_patch ->
        [yes] {" "}oder application/merge-patch+json.
       *[no] .
    }
    .remedy = Setzen Sie Content-Type, und komprimieren Sie den Request-Body nicht.
uri_too_long = URI zu lang
    .detail = Pfad und Query-String dürfen höchstens { $max } Byte lang sein.
    .remedy = Senden Sie weniger oder kürzere Query-Parameter, zum Beispiel mehrere Anfragen mit weniger IDs.
headers_too_large = Header zu groß
    .detail = Die Anfrage darf höchstens 96 Header haben, die zusammen höchstens { $max } Byte lang sind.
    .remedy = Senden Sie weniger Cookies und Header oder ein kleineres Token.
too_many_requests = Zu viele Anfragen
    .detail = Anfragelimit überschritten. Versuchen Sie es in { $seconds } Sekunden erneut.
    .remedy = Warten Sie die Sekunden in Retry-After ab. Fassen Sie Entscheidungen über mehrere Tickets zusammen, und halten Sie das Limit im Header RateLimit ein.
too_many_concurrent_requests = Zu viele gleichzeitige Anfragen
    .detail = Zu viele oder zu große Anfragen dieses Aufrufers sind noch in Bearbeitung. Versuchen Sie es erneut, sobald einige abgeschlossen sind.
    .remedy = Warten Sie, bis einige der laufenden Anfragen abgeschlossen sind, und senden Sie weniger gleichzeitig.
request_timeout = Zeitüberschreitung der Anfrage
    .detail = Die Anfrage ist nicht innerhalb von { $seconds } Sekunden vollständig eingegangen.
    .remedy = Wiederholen Sie die Anfrage. Tritt dies häufig auf, prüfen Sie das Netz zwischen Client und Dienst.
validation_failed = Prüfung fehlgeschlagen
    .detail = Einige Felder des Request-Bodys sind ungültig; siehe errors.
    .remedy = Berichtigen Sie alle Felder in errors. Jeder Pointer nennt eine Stelle im Request-Body.
approver_role = Rolle kann nicht genehmigen
    .detail = Genehmiger müssen die Rolle editor (Bearbeiter) oder dispatcher haben, nicht { $role }.
    .remedy = Wählen Sie die Rolle editor oder dispatcher, oder setzen Sie approver auf false.
unknown_reference = Unbekannter Verweis
    .detail = Der Katalog hat keinen Eintrag { $id }.
    .remedy = Prüfen Sie die ID. Das ERP muss den Eintrag zuerst im Katalog anlegen.
retired_reference = Verweis auf stillgelegten Eintrag
    .detail = Der Katalogeintrag { $id } ist stillgelegt und kann nicht freigeschaltet werden.
    .remedy = Wählen Sie einen aktiven Eintrag, oder lassen Sie diesen im ERP reaktivieren.
area_not_granted = Bereich nicht freigeschaltet
    .detail = Der Bereich { $id } ist für diesen Geschäftspartner nicht freigeschaltet.
    .remedy = Schalten Sie den Bereich zuerst für den Geschäftspartner frei, oder wählen Sie einen freigeschalteten.
unknown_access = Unbekannter Kundenzugang
    .detail = Der Kundenzugang existiert nicht.
    .remedy = Prüfen Sie die ID oder die E-Mail-Adresse. Einem beschränkten Token sind Kundenzugänge anderer Geschäftspartner unbekannt.
required = Pflichtfeld
    .detail = Ein Wert ist erforderlich und darf nicht leer sein.
    .remedy = Senden Sie einen Wert.
exactly_one = Genau eine Angabe
    .detail = Genau eine dieser Angaben ist erforderlich: { $allowed }.
    .remedy = Senden Sie eines dieser Felder, und lassen Sie die anderen weg.
too_short = Zu kurz
    .detail = Mindestens { $min } Zeichen sind erforderlich.
    .remedy = Senden Sie einen längeren Wert.
too_long = Zu lang
    .detail = Die Länge darf höchstens { $max } betragen.
    .remedy = Kürzen Sie den Wert. Gezählt werden Unicode-Zeichen.
out_of_range = Außerhalb des Wertebereichs
    .detail = Erlaubter Wertebereich: { $allowed }.
    .remedy = Senden Sie eine Zahl innerhalb des Wertebereichs.
control_character = Steuerzeichen
    .detail = Steuerzeichen sind nicht erlaubt.
    .remedy = Entfernen Sie Zeilenumbrüche, Tabulatoren und andere Steuerzeichen.
invisible_character = Unsichtbares Zeichen
    .detail = Das unsichtbare Zeichen { $character } ist in Namen nicht erlaubt.
    .remedy = Entfernen Sie das Zeichen. Es stammt oft aus kopiertem formatiertem Text.
invalid_id = Ungültige ID
    .detail = { $kind ->
        [erp] Eine ID besteht aus 1 bis { $max } Zeichen: Buchstaben A bis Z und a bis z, Ziffern und die Zeichen . _ ~ -. Sie beginnt mit einem Buchstaben oder einer Ziffer.
        [uuid] Eine ID dieses Dienstes ist eine UUID in Kleinbuchstaben mit Bindestrichen.
       *[other] Keine gültige ID.
    }
    .remedy = IDs des ERP bestehen aus 1 bis 64 Zeichen (A-Z, a-z, 0-9, '.', '_', '~', '-') und beginnen mit einem Buchstaben oder einer Ziffer. IDs dieses Dienstes sind UUIDs in Kleinbuchstaben.
invalid_email = Ungültige E-Mail-Adresse
    .detail = Keine gültige E-Mail-Adresse.
    .remedy = Senden Sie eine Adresse wie name@example.com; Domains mit Umlauten in Punycode.
invalid_color = Ungültige Farbe
    .detail = Farben im Format #RRGGBB angeben.
    .remedy = Senden Sie sechs hexadezimale Ziffern, zum Beispiel #1F77B4.
unknown_value = Unbekannter Wert
    .detail = Erlaubte Werte: { $allowed }.
    .remedy = Senden Sie einen der erlaubten Werte. Groß- und Kleinschreibung zählt.
duplicate_value = Doppelter Wert
    .detail = Der Wert kommt mehrfach vor.
    .remedy = Senden Sie jeden Wert nur einmal.
invalid_time = Ungültiger Zeitpunkt
    .detail = Zeitpunkte im Format RFC 3339 angeben, zum Beispiel 2026-11-23T08:00:00Z.
    .remedy = Senden Sie Datum, Uhrzeit und Zeitverschiebung, oder Z für UTC.
invalid_duration = Ungültige Dauer
    .detail = Eine positive Dauer von höchstens 100 Jahren im Format ISO 8601 angeben, zum Beispiel P30D.
    .remedy = Senden Sie eine Dauer wie P2Y, P30D oder PT12H.
too_deep = Zu tief verschachtelt
    .detail = Gruppen dürfen höchstens { $max } Ebenen tief verschachtelt sein.
    .remedy = Fassen Sie Gruppen zusammen, oder verteilen Sie den Filter auf mehrere Regeln oder Abfragen.
too_many_conditions = Zu viele Bedingungen
    .detail = Ein Filter darf höchstens { $max } Bedingungen haben.
    .remedy = Verwenden Sie Bedingungen mit mehreren Werten, oder verteilen Sie den Filter auf mehrere Regeln oder Abfragen.
too_many_values = Zu viele Werte
    .detail = Hier sind höchstens { $max } Werte erlaubt.
    .remedy = Senden Sie weniger Werte, oder teilen Sie die Anfrage auf.
too_many_comparisons = Zu viele Vergleiche
    .detail = Die Tags und Texte aller Tickets, multipliziert mit den Tag-Werten und Textbedingungen aller Regeln, dürfen höchstens { $max } Vergleiche ergeben. Bitte weniger Tickets senden.
    .remedy = Senden Sie weniger Tickets je Anfrage, oder entfernen Sie Tag-Werte und Textbedingungen aus den Regeln.
filter_too_large = Filter zu groß
    .detail = Ein Filter darf als kompaktes JSON höchstens { $max } Byte lang sein.
    .remedy = Verteilen Sie den Filter auf mehrere Regeln oder Abfragen.
no_area = Kein Bereich
    .detail = Es ist kein Bereich freigeschaltet.
    .remedy = Schalten Sie einen Bereich frei, der im ERP nicht stillgelegt ist.
no_ticket_type = Keine Ticketart
    .detail = Es ist keine Ticketart freigeschaltet.
    .remedy = Schalten Sie eine Ticketart frei, die im ERP nicht stillgelegt ist.
internal_error = Interner Fehler
    .detail = Ein interner Fehler ist aufgetreten. Nennen Sie dem Betreiber die Anfrage-ID { $request_id }.
    .remedy = Melden Sie die Anfrage-ID dem Betreiber; er findet die Ursache im Log.
overloaded = Überlastet
    .detail = Der Dienst bearbeitet zurzeit zu viele Anfragen. Versuchen Sie es in Kürze erneut.
    .remedy = Wiederholen Sie die Anfrage nach den Sekunden in Retry-After, mit wachsenden Abständen.
storage_full = Speicher ist voll
    .detail = Kein Speicherplatz mehr; die Änderung wurde nicht gespeichert. Bitte den Betreiber informieren.
    .remedy = Informieren Sie den Betreiber. Lesen ist weiterhin möglich; wiederholen Sie die Änderung später.
unavailable = Vorübergehend nicht erreichbar
    .detail = Der Dienst ist vorübergehend nicht erreichbar. Versuchen Sie es in Kürze erneut.
    .remedy = Wiederholen Sie die Anfrage nach den Sekunden in Retry-After. Eine Änderung kann bereits gespeichert sein: Lesen Sie zuerst die Ressource.

## Ticketfilter in Worten. `field-…` ist die Beschriftung eines Felds, `inline` seine Form im Satz.
## `operator-…` beschriftet einen Operator, `word-…` einen Wert, `clause-…` ist eine ganze Bedingung.

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
field-released = Veröffentlicht
    .inline = veröffentlicht
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
operator-none_of = enthalten keines von
operator-is = ist
operator-is_self = ist der Kundenzugang selbst
operator-contains = enthält
operator-equals = ist gleich
operator-before = vor
operator-after = nach
operator-older_than = liegt länger zurück als
operator-newer_than = liegt weniger zurück als
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
       *[other] { $field } enthalten weder { $neither }
    }
clause-is = { $value ->
        [true] Ticket ist { $field }
       *[other] Ticket ist nicht { $field }
    }
clause-is_self = { $field } ist der Kundenzugang selbst
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
more-conditions = { $count ->
        [one] { $count } weitere Bedingung
       *[other] { $count } weitere Bedingungen
    }
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

## Schritte einer Entscheidung.

step-integration_inactive = { $case ->
        [pass] Die Kundenintegration ist aktiv.
       *[deny] Die Kundenintegration ist inaktiv.
    }
step-business_partner_inactive = { $case ->
        [pass] Der Geschäftspartner ist aktiv.
       *[deny] Der Geschäftspartner ist im ERP stillgelegt.
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
       *[deny] Das Ticket ist intern. Interne Tickets sind immer verborgen.
    }
step-ticket_confidential = { $case ->
        [pass] Das Ticket ist nicht vertraulich.
        [main_contact] Das Ticket ist vertraulich, und der Kundenzugang gehört dem Hauptansprechpartner.
        [undetermined] Das Ticket ist vertraulich, und der Hauptansprechpartner wurde nicht angegeben.
       *[deny] Das Ticket ist vertraulich, und der Kundenzugang gehört nicht dem Hauptansprechpartner.
    }
step-area_not_granted = { $case ->
        [pass] Der Bereich { $name } ist freigeschaltet.
        [retired] Der Bereich { $name } ist freigeschaltet, aber im ERP stillgelegt.
       *[deny] Der Bereich { $name } ist nicht freigeschaltet.
    }
step-excluded_by_global_rule = { $case ->
        [pass] Keine kundenübergreifende Ausschlussregel trifft zu.
       *[deny] { $count ->
            [one] Die kundenübergreifende Ausschlussregel { $rules } verbirgt das Ticket.
           *[other] Die kundenübergreifenden Ausschlussregeln { $rules } verbergen das Ticket.
        }
    }
step-excluded_by_global_rule_undetermined = { $count ->
        [one] Ob die kundenübergreifende Ausschlussregel { $rules } zutrifft, lässt sich nicht feststellen, weil eine Angabe fehlt; das Ticket bleibt verborgen.
       *[other] Ob die kundenübergreifenden Ausschlussregeln { $rules } zutreffen, lässt sich nicht feststellen, weil eine Angabe fehlt; das Ticket bleibt verborgen.
    }
step-excluded_by_rule = { $case ->
        [pass] Keine Ausschlussregel des Geschäftspartners trifft zu.
       *[deny] { $count ->
            [one] Die Ausschlussregel { $rules } verbirgt das Ticket.
           *[other] Die Ausschlussregeln { $rules } verbergen das Ticket.
        }
    }
step-excluded_by_rule_undetermined = { $count ->
        [one] Ob die Ausschlussregel { $rules } zutrifft, lässt sich nicht feststellen, weil eine Angabe fehlt; das Ticket bleibt verborgen.
       *[other] Ob die Ausschlussregeln { $rules } zutreffen, lässt sich nicht feststellen, weil eine Angabe fehlt; das Ticket bleibt verborgen.
    }
step-not_own_ticket = { $case ->
        [pass] Der Kundenzugang sieht alle Tickets des Geschäftspartners.
        [own] Der Kundenzugang gehört dem Hauptansprechpartner oder dem Ersteller des Tickets.
        [undetermined] Der Kundenzugang sieht nur eigene Tickets, und Hauptansprechpartner oder Ersteller des Tickets wurden nicht angegeben.
       *[deny] Der Kundenzugang sieht nur eigene Tickets, und dieses gehört nicht dazu.
    }
step-ticket_hidden = { $count ->
        [one] Die Position { $positions } ist verborgen, weil das Ticket verborgen ist.
       *[other] Die Positionen { $positions } sind verborgen, weil das Ticket verborgen ist.
    }
step-position_internal = { $count ->
        [one] Die Position { $positions } ist intern. Interne Positionen sind immer verborgen.
       *[other] Die Positionen { $positions } sind intern. Interne Positionen sind immer verborgen.
    }
step-position_internal_undetermined = { $count ->
        [one] Ob die Position { $positions } intern ist, lässt sich nicht feststellen, weil die Angabe fehlt; sie bleibt verborgen.
       *[other] Ob die Positionen { $positions } intern sind, lässt sich nicht feststellen, weil die Angabe fehlt; sie bleiben verborgen.
    }
step-not_approver = Der Kundenzugang ist kein Genehmiger.
step-ticket_not_visible = { $case ->
        [undetermined] Ob der Kundenzugang das Ticket sehen darf, lässt sich nicht feststellen, weil eine Angabe fehlt.
       *[deny] Der Kundenzugang darf das Ticket nicht sehen.
    }
step-already_released = { $case ->
        [undetermined] Ob das Ticket schon veröffentlicht ist, lässt sich nicht feststellen, weil die Angabe fehlt.
       *[deny] Das Ticket ist schon veröffentlicht.
    }
step-role_may_not_create = Nur Bearbeiter und Dispatcher dürfen Tickets erstellen.
step-ticket_type_not_granted = { $case ->
        [retired] Die Ticketart { $name } ist freigeschaltet, aber im ERP stillgelegt.
       *[deny] Die Ticketart { $name } ist nicht freigeschaltet.
    }
step-ticket_type_not_startable = Tickets der Art { $name } können in diesem Bereich nicht erstellt werden.

## Befunde der Bereitschaft. `$names` sind die ersten Verweise, in Anführungszeichen.

finding-inactive = Die Kundenintegration ist inaktiv.
finding-business_partner_inactive = Der Geschäftspartner ist im ERP stillgelegt.
finding-no_area = Es ist kein verfügbarer Bereich freigeschaltet.
finding-no_ticket_type = Es ist keine verfügbare Ticketart freigeschaltet.
finding-no_active_access = Kein Kundenzugang ist aktiv.
finding-no_startable_ticket_type = Keine der freigeschalteten Ticketarten kann in einem der freigeschalteten Bereiche erstellt werden.
finding-approval_without_approver = Eine Ticketart muss genehmigt werden, aber kein aktiver Kundenzugang ist Genehmiger.
finding-area_fully_excluded = { $count ->
        [one] Ausschlussregeln verbergen alle Tickets des Bereichs { $names }.
       *[other] Ausschlussregeln verbergen alle Tickets der Bereiche { $names }.
    }
finding-retired_reference = Im ERP stillgelegt, aber freigeschaltet oder in einem Filter verwendet: { $names }.
finding-tag_not_offered = { $count ->
        [one] { $names } verwendet einen Tag, den es für diesen Geschäftspartner nicht gibt.
       *[other] { $names } verwenden Tags, die es für diesen Geschäftspartner nicht gibt.
    }
finding-internal_tag_in_query = { $count ->
        [one] Die Abfrage { $names } verwendet einen internen Tag und wird Kundenzugängen deshalb nicht angeboten.
       *[other] Die Abfragen { $names } verwenden interne Tags und werden Kundenzugängen deshalb nicht angeboten.
    }

## Warum ein Kundenzugang nicht wirksam ist.

ineffective-integration_inactive = Die Kundenintegration ist inaktiv.
ineffective-business_partner_inactive = Der Geschäftspartner ist im ERP stillgelegt.
ineffective-access_inactive = Der Kundenzugang ist inaktiv.

## Einträge der Historie. `$resource` ist die Art der Ressource mit ihrem Namen.

history-subject = { $resource } { $name }
history-created = { $kind ->
        [grant] { $resource } freigeschaltet.
       *[other] { $resource } angelegt.
    }
history-updated = { $resource } geändert.
history-deleted = { $kind ->
        [grant] Freischaltung entzogen: { $resource }.
       *[other] { $resource } gelöscht.
    }

## Beschriftungen von Aufzählungen: `label-<Aufzählung>-<Wert>`.

label-role-observer = Beobachter
label-role-editor = Bearbeiter
label-role-dispatcher = Dispatcher
label-ticket_visibility-own = Eigene Tickets
label-ticket_visibility-partner = Alle Tickets des Geschäftspartners
label-language-de = Deutsch
label-language-en = Englisch
label-ineffective_reason-integration_inactive = Kundenintegration inaktiv
label-ineffective_reason-business_partner_inactive = Geschäftspartner stillgelegt
label-ineffective_reason-access_inactive = Kundenzugang inaktiv
label-finding_code-inactive = Kundenintegration inaktiv
label-finding_code-business_partner_inactive = Geschäftspartner stillgelegt
label-finding_code-no_area = Kein Bereich verfügbar
label-finding_code-no_ticket_type = Keine Ticketart verfügbar
label-finding_code-no_active_access = Kein aktiver Kundenzugang
label-finding_code-no_startable_ticket_type = Keine Ticketart im Startbereich
label-finding_code-approval_without_approver = Genehmigung ohne Genehmiger
label-finding_code-area_fully_excluded = Bereich vollständig ausgeschlossen
label-finding_code-retired_reference = Verweis auf stillgelegten Eintrag
label-finding_code-tag_not_offered = Unbekannter Tag im Filter
label-finding_code-internal_tag_in_query = Interner Tag in Abfrage
label-rule_scope-partner = Ausschlussregel
label-rule_scope-global = Kundenübergreifende Ausschlussregel
label-ticket_type_kind-standard = Standard
label-ticket_type_kind-dynamic = Dynamisch
label-ticket_status-open = Offen
label-ticket_status-in_progress = In Bearbeitung
label-ticket_status-parked = Geparkt
label-ticket_status-closed = Geschlossen
label-ticket_closure-completed = Erledigt
label-ticket_closure-cancelled = Abgebrochen
label-ticket_closure-withdrawn = Zurückgezogen
label-ticket_level-low = Niedrig
label-ticket_level-medium = Mittel
label-ticket_level-high = Hoch
label-sort_direction-ascending = Aufsteigend
label-sort_direction-descending = Absteigend
label-decision_outcome-pass = Erfüllt
label-decision_outcome-deny = Nicht erfüllt
label-decision_outcome-undetermined = Nicht bestimmbar
label-decision_step-integration_inactive = Kundenintegration inaktiv
label-decision_step-business_partner_inactive = Geschäftspartner stillgelegt
label-decision_step-access_inactive = Kundenzugang inaktiv
label-decision_step-other_business_partner = Ticket eines anderen Geschäftspartners
label-decision_step-ticket_internal = Internes Ticket
label-decision_step-ticket_confidential = Vertrauliches Ticket
label-decision_step-area_not_granted = Bereich nicht freigeschaltet
label-decision_step-excluded_by_global_rule = Kundenübergreifende Ausschlussregel
label-decision_step-excluded_by_global_rule_undetermined = Kundenübergreifende Ausschlussregel nicht bestimmbar
label-decision_step-excluded_by_rule = Ausschlussregel
label-decision_step-excluded_by_rule_undetermined = Ausschlussregel nicht bestimmbar
label-decision_step-not_own_ticket = Kein eigenes Ticket
label-creation_reason-integration_inactive = Kundenintegration inaktiv
label-creation_reason-business_partner_inactive = Geschäftspartner stillgelegt
label-creation_reason-access_inactive = Kundenzugang inaktiv
label-creation_reason-role_may_not_create = Rolle darf keine Tickets erstellen
label-creation_reason-area_not_granted = Bereich nicht freigeschaltet
label-creation_reason-ticket_type_not_granted = Ticketart nicht freigeschaltet
label-creation_reason-ticket_type_not_startable = Ticketart nicht im Startbereich
label-approval_reason-integration_inactive = Kundenintegration inaktiv
label-approval_reason-business_partner_inactive = Geschäftspartner stillgelegt
label-approval_reason-access_inactive = Kundenzugang inaktiv
label-approval_reason-not_approver = Kein Genehmiger
label-approval_reason-ticket_not_visible = Ticket nicht sichtbar
label-approval_reason-already_released = Bereits freigegeben
label-position_reason-ticket_hidden = Ticket ausgeblendet
label-position_reason-position_internal = Interne Position
label-position_reason-position_internal_undetermined = Unbekannt, ob intern
label-history_action-created = Angelegt
label-history_action-updated = Geändert
label-history_action-deleted = Gelöscht
label-history_resource-customer_integration = Kundenintegration
label-history_resource-access = Kundenzugang
label-history_resource-area = Bereich
label-history_resource-ticket_type = Ticketart
label-history_resource-tag = Tag
label-history_resource-query = Ticket Board Abfrage
label-history_resource-query_order = Reihenfolge der Ticket Board Abfragen
label-history_resource-exclusion_rule = Ausschlussregel
label-history_resource-plan_board = Plan Board
label-history_resource-business_partner = Geschäftspartner im Katalog
label-history_resource-catalog_area = Bereich im Katalog
label-history_resource-catalog_ticket_type = Ticketart im Katalog
label-history_resource-catalog_plan_board = Plan Board im Katalog
label-history_aggregate-customer_integration = Kundenintegration
label-history_aggregate-catalog = Katalog
label-history_aggregate-global_rules = Kundenübergreifende Ausschlussregeln

## Aufzählungen: `$first` enthält alle Einträge außer dem letzten, durch Kommas getrennt.

list-and = { $count ->
       *[other] { $first } und { $last }
    }
list-or = { $count ->
       *[other] { $first } oder { $last }
    }
list-nor = { $count ->
       *[other] { $first } noch { $last }
    }
