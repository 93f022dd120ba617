<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de">
<context>
    <name>SERUSegmentation</name>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Inputs</source>
        <translation>Eingaben</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What to segment, and how</source>
        <translation>Was segmentiert wird, und wie</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>CT volume:</source>
        <translation>CT-Volumen:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>CT to segment, in Hounsfield units. Any orientation and any parent transform will do.</source>
        <translation>Zu segmentierendes CT in Hounsfield-Einheiten. Ausrichtung und übergeordnete Transformation sind beliebig.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Select a CT volume</source>
        <translation>CT-Volumen auswählen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Segmentation:</source>
        <translation>Segmentierung:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Where the result goes. Segmenting again updates the segments that SERU made; other segments stay untouched.</source>
        <translation>Wohin das Ergebnis geschrieben wird. Erneutes Segmentieren aktualisiert die von SERU angelegten Segmente; andere Segmente bleiben unberührt.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Create new segmentation on Segment</source>
        <translation>Beim Segmentieren neu anlegen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Model:</source>
        <translation>Modell:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Network weights. Choose a model folder with the button on the right.</source>
        <translation>Gewichte der Netze. Mit der Schaltfläche rechts wählen Sie einen Modellordner.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Choose a model folder: model.json with coarse.safetensors and refine.safetensors.</source>
        <translation>Modellordner wählen: model.json mit coarse.safetensors und refine.safetensors.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Device:</source>
        <translation>Gerät:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Where the network runs. Automatic takes the fastest device with enough memory, else the CPU.</source>
        <translation>Worauf die Netze rechnen. „Automatisch“ nimmt das schnellste Gerät mit genügend Speicher, sonst die CPU.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Choices that are seldom needed</source>
        <translation>Selten benötigte Einstellungen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Run every slice</source>
        <translation>Alle Schichten berechnen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Run mirror images too</source>
        <translation>Auch Spiegelbilder auswerten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Crops:</source>
        <translation>Zuschnitte:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Separate segments for right and left</source>
        <translation>Getrennte Segmente für rechts und links</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Kidney right, Kidney left, Tumor right and Tumor left instead of Kidney and Tumor. Can be switched after segmenting.</source>
        <translation>Kidney right, Kidney left, Tumor right und Tumor left statt Kidney und Tumor. Kann nach dem Segmentieren umgeschaltet werden.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Stays ready:</source>
        <translation>Bleibt bereit:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>How long the networks and the last CT are kept in memory after a run, so that the next one starts at once. 0 ends the process with each run.</source>
        <translation>Wie lange die Netze und das letzte CT nach einem Lauf im Speicher bleiben, damit der nächste sofort beginnt. 0 beendet den Prozess mit jedem Lauf.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source> min</source>
        <translation> min</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Engine:</source>
        <translation>Rechenkern:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What runs the networks on the chosen device: OpenVINO on a CPU where it is installed, else PyTorch</source>
        <translation>Womit die Netze auf dem gewählten Gerät rechnen: OpenVINO auf einer CPU, wo es installiert ist, sonst PyTorch</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Segment</source>
        <translation>Segmentieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Segment kidneys and tumors.</source>
        <translation>Nieren und Tumoren segmentieren.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Progress of the run, from its real stages and slices</source>
        <translation>Fortschritt des Laufs nach tatsächlichen Stufen und Schichten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>State of the last run</source>
        <translation>Stand des letzten Laufs</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What happened, with date and time</source>
        <translation>Was geschah, mit Datum und Uhrzeit</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Copy log</source>
        <translation>Protokoll kopieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Copy the log, with versions and device, for a bug report</source>
        <translation>Protokoll mit Versionen und Gerät für einen Fehlerbericht kopieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Change and look at the result</source>
        <translation>Ergebnis ändern und betrachten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Why the result cannot be changed</source>
        <translation>Warum sich das Ergebnis nicht ändern lässt</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Alpha:</source>
        <translation>Alpha:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Back to the model&apos;s default alpha</source>
        <translation>Zurück zum Alpha des Modells</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Left end: refine stage alone. Right end: coarse stage alone. The triangle marks the model&apos;s default.</source>
        <translation>Linkes Ende: nur die Feinstufe. Rechtes Ende: nur die Grobstufe. Das Dreieck zeigt den Vorgabewert des Modells.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Findings</source>
        <translation>Befunde</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Kidneys, tumors, and candidates that are not part of the result</source>
        <translation>Nieren, Tumoren und Kandidaten, die nicht zum Ergebnis gehören</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What to know before the numbers are believed</source>
        <translation>Was Sie wissen sollten, bevor Sie den Zahlen vertrauen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Click a finding, or choose it with the arrow keys, to see it in all slice views. Keys: A accepts, D dismisses, U takes back.</source>
        <translation>Klicken Sie einen Befund an oder wählen Sie ihn mit den Pfeiltasten, um ihn in allen Schichtansichten zu sehen. Tasten: A nimmt an, D verwirft, U nimmt zurück.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Accept</source>
        <translation>Annehmen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The finding is right (key A): it is part of segments, volumes and exports, whatever its confidence.</source>
        <translation>Der Befund ist richtig (Taste A): Er ist Teil von Segmenten, Volumina und Exporten, unabhängig von seiner Konfidenz.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Dismiss</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The finding is wrong (key D): it leaves segments, volumes and exports. A tumor becomes kidney where it lies in one, background elsewhere; a kidney becomes background with its tumors.</source>
        <translation>Der Befund ist falsch (Taste D): Er wird aus Segmenten, Volumina und Exporten entfernt. Ein Tumor wird zu Niere, wo er in einer liegt, sonst zu Hintergrund; eine Niere wird samt ihren Tumoren zu Hintergrund.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Undo</source>
        <translation>Zurücknehmen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Take back what was said of the finding (key U).</source>
        <translation>Die Entscheidung über den Befund zurücknehmen (Taste U).</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>From list...</source>
        <translation>Liste...</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Read a list of verdicts (CSV), as the page of a cohort exports it, and apply what it says of this CT.</source>
        <translation>Eine Liste von Urteilen (CSV) lesen, wie die Seite einer Kohorte sie ausgibt, und anwenden, was sie zu diesem CT sagt.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show candidates</source>
        <translation>Kandidaten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Outline, thick and pale, what was found with too little confidence or dismissed. It is not part of the result.</source>
        <translation>Mit breiter, blasser Linie umranden, was mit zu geringer Konfidenz gefunden oder was verworfen wurde. Es gehört nicht zum Ergebnis.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Nephrometry</source>
        <translation>Nephrometrie</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Score the largest tumor on the side of the chosen finding: R.E.N.A.L., PADUA, C-index, contact area and split volume, from the segments as they are now. It needs a kidney and a tumor there, and takes about a second.</source>
        <translation>Den größten Tumor auf der Seite des gewählten Befunds bewerten: R.E.N.A.L., PADUA, C-Index, Kontaktfläche und Seitenvolumen, aus den Segmenten, wie sie jetzt sind. Dort muss es Niere und Tumor geben; es dauert etwa eine Sekunde.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show in views</source>
        <translation>In Ansichten zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Draw in the slice views what the scores were computed from: polar lines, coronal plane and long axis of the kidney, longest diameter, the ways to the sinus and between the centres.</source>
        <translation>In den Schichtansichten zeichnen, woraus die Bewertung berechnet wurde: Pollinien, Koronarebene und Längsachse der Niere, längster Durchmesser, die Wege zum Sinus und zwischen den Mitten.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Click a component to go to where it was measured. How it is computed is in the tooltip of its row.</source>
        <translation>Klicken Sie auf eine Komponente, um dorthin zu gehen, wo sie gemessen wurde. Wie sie berechnet wird, steht im Tooltip ihrer Zeile.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show:</source>
        <translation>Anzeigen:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What the views show: the fused segments, one of the stages, or the voxels on which the stages disagree.</source>
        <translation>Was die Ansichten zeigen: die fusionierten Segmente, eine der Stufen oder die Voxel, in denen die Stufen voneinander abweichen.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show 3D</source>
        <translation>3D zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the segments as surfaces in the 3D view</source>
        <translation>Segmente als Oberflächen in der 3D-Ansicht zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Outline of the coarse stage</source>
        <translation>Umriss der Grobstufe</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Draw the coarse stage&apos;s outline over the fused segments</source>
        <translation>Umriss der Grobstufe über die fusionierten Segmente zeichnen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Clean-up:</source>
        <translation>Bereinigung:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Leave out doubtful findings</source>
        <translation>Zweifelhafte Befunde weglassen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Largest component per side</source>
        <translation>Größte Komponente je Seite</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Tumor must touch kidney</source>
        <translation>Tumor muss Niere berühren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Minimum volume:</source>
        <translation>Mindestvolumen:</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source> ml</source>
        <translation> ml</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Key slices</source>
        <translation>Schlüsselschichten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Where each side&apos;s kidney and tumor are largest</source>
        <translation>Wo Niere und Tumor einer Seite am größten sind</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Side</source>
        <translation>Seite</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Slice</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Position (R, A, S)</source>
        <translation>Position (R, A, S)</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Area</source>
        <translation>Fläche</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Right</source>
        <translation>Rechts</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The patient&apos;s right</source>
        <translation>Rechte Seite des Patienten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Number of the key slice in the order of the volume&apos;s slices, from 0</source>
        <translation>Nummer der Schlüsselschicht in der Reihenfolge der Schichten des Volumens, ab 0</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>World position of the contour&apos;s centre in mm</source>
        <translation>Weltkoordinaten der Konturmitte in mm</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Area inside the contour of kidney and tumor</source>
        <translation>Fläche innerhalb der Kontur von Niere und Tumor</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>How far this side is refined</source>
        <translation>Wie weit diese Seite verfeinert ist</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Go to</source>
        <translation>Gehe zu</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the right key slice in all slice views</source>
        <translation>Rechte Schlüsselschicht in allen Schichtansichten zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Left</source>
        <translation>Links</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The patient&apos;s left</source>
        <translation>Linke Seite des Patienten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the left key slice in all slice views</source>
        <translation>Linke Schlüsselschicht in allen Schichtansichten zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show crop boxes</source>
        <translation>Zuschnittrahmen zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the boxes that the refine stage ran on</source>
        <translation>Die Rahmen zeigen, in denen die Feinstufe gerechnet hat</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Labels</source>
        <translation>Beschriftung</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the key slices&apos; labels in the views</source>
        <translation>Beschriftung der Schlüsselschichten in den Ansichten zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Inspect key patches</source>
        <translation>Schlüsselausschnitte zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show each side&apos;s patch at its key slice, with the coarse outline and the fused segments; click again for the layout before</source>
        <translation>Den Ausschnitt jeder Seite in ihrer Schlüsselschicht zeigen, mit grobem Umriss und fusionierten Segmenten; ein weiterer Klick stellt das vorige Layout wieder her</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Move</source>
        <translation>Bewegen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Give the crop boxes their names and handles: in the middle to move, at the corners and sides to size them, unless the crop is to keep its size. Where one is let go of, its side is refined anew; in the plane it grows to the model&apos;s crop or the next multiple of 32 pixels of the network.</source>
        <translation>Den Zuschnittrahmen ihre Namen und Griffe geben: in der Mitte zum Verschieben, an Ecken und Seiten zum Ändern der Größe, außer wo der Zuschnitt seine Größe behalten soll. Wo einer losgelassen wird, wird seine Seite neu verfeinert; in der Ebene wächst er auf den Zuschnitt des Modells oder das nächste Vielfache von 32 Pixeln des Netzes.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Refine in the boxes as they were before the last change</source>
        <translation>In den Rahmen verfeinern, wie sie vor der letzten Änderung waren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Reset boxes</source>
        <translation>Rahmen zurücksetzen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Refine both sides where their kidneys were found</source>
        <translation>Beide Seiten dort verfeinern, wo ihre Nieren gefunden wurden</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Key slice here</source>
        <translation>Schlüsselschicht hier</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Make the crosshair&apos;s slice the key slice of its side, centre the crop box on the crosshair and refine that side anew (Ctrl+Shift+K); hold Shift and move the mouse to place the crosshair</source>
        <translation>Die Schicht des Fadenkreuzes zur Schlüsselschicht seiner Seite machen, den Zuschnittrahmen auf das Fadenkreuz zentrieren und die Seite neu verfeinern (Strg+Umschalt+K); mit gedrückter Umschalttaste setzt die Maus das Fadenkreuz</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Missed something?</source>
        <translation>Etwas übersehen?</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>With the crosshair on it: accept what was found there but not believed, or tell the alpha that finds more there; else refine that side around the crosshair</source>
        <translation>Mit dem Fadenkreuz darauf: annehmen, was dort mit zu geringer Konfidenz gefunden wurde, oder das Alpha nennen, das dort mehr findet; sonst die Seite um das Fadenkreuz neu verfeinern</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What was done at the crosshair</source>
        <translation>Was am Fadenkreuz getan wurde</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Measurements</source>
        <translation>Messwerte</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Sums of the segments that are shown</source>
        <translation>Summen der gezeigten Segmente</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Sums of the findings above: volumes of all kidneys and of all tumors in ml, the longest axial diameter of the largest tumor in mm, and the tumors&apos; share of kidney and tumor</source>
        <translation>Summen der Befunde oben: Volumina aller Nieren und aller Tumoren in ml, längster axialer Durchmesser des größten Tumors in mm und Anteil der Tumoren an Niere und Tumor</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show table</source>
        <translation>Tabelle zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Show the table node in a layout with a table view</source>
        <translation>Den Tabellenknoten in einem Layout mit Tabellenansicht zeigen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Export CSV...</source>
        <translation>CSV exportieren...</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Write the findings and their sums to a file</source>
        <translation>Befunde und ihre Summen in eine Datei schreiben</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Measure this segmentation</source>
        <translation>Diese Segmentierung messen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Measure the kidneys and tumors of the chosen segmentation as they are now: edited, drawn by hand, or made by another program. A segment is known by its terminology, or by its name.</source>
        <translation>Nieren und Tumoren der gewählten Segmentierung messen, wie sie jetzt sind: bearbeitet, von Hand gezeichnet oder von einem anderen Programm. Ein Segment wird an seiner Terminologie oder an seinem Namen erkannt.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What the segments show as they are, whatever the networks found</source>
        <translation>Was die Segmente zeigen, wie sie sind, gleich was die Netze gefunden haben</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Setup</source>
        <translation>Einrichtung</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Packages, devices and models</source>
        <translation>Pakete, Geräte und Modelle</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>What is installed for the segmentation</source>
        <translation>Was für die Segmentierung installiert ist</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Install</source>
        <translation>Installieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Install what is missing, after asking</source>
        <translation>Fehlendes nach Rückfrage installieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Check devices</source>
        <translation>Geräte prüfen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Start the segmentation&apos;s Python once and list versions, devices and models</source>
        <translation>Das Python der Segmentierung einmal starten und Versionen, Geräte und Modelle auflisten</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The networks run on the CPU here. There OpenVINO was 1.7 times as fast as PyTorch for a whole run on two cores with bf16, and 1.3 times as fast in float32 on two without; 33 to 85 MB to download.</source>
        <translation>Die Netze rechnen hier auf der CPU. Dort war OpenVINO bei einem ganzen Lauf 1,7-mal so schnell wie PyTorch auf zwei Kernen mit bf16 und 1,3-mal so schnell in float32 auf zwei ohne; 33 bis 85 MB Download.</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The engine that fits a computer without a GPU</source>
        <translation>Der Rechenkern, der zu einem Computer ohne GPU passt</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Install OpenVINO</source>
        <translation>OpenVINO installieren</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Install the faster engine for the CPU, after asking; without its telemetry</source>
        <translation>Den schnelleren Rechenkern für die CPU nach Rückfrage installieren; ohne seine Telemetrie</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>The selected model</source>
        <translation>Das ausgewählte Modell</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Fetch</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Download the selected model, after its licence was agreed to</source>
        <translation>Das ausgewählte Modell herunterladen, nachdem seiner Lizenz zugestimmt wurde</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Compare the selected model&apos;s files with their checksums</source>
        <translation>Dateien des ausgewählten Modells mit ihren Prüfsummen vergleichen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Open the folder of downloaded models</source>
        <translation>Ordner der heruntergeladenen Modelle öffnen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Clear</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <location filename="../../Resources/UI/SERUSegmentation.ui"/>
        <source>Delete every downloaded model</source>
        <translation>Alle heruntergeladenen Modelle löschen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>SERU Kidney and Tumor Segmentation</source>
        <translation>SERU: Segmentierung von Nieren und Tumoren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>Finds kidneys and kidney tumors in a CT with the SERU cascade: a coarse stage on whole axial slices, key slices and crops on the patient&apos;s right and left, a refine stage on the crops, and their fusion, whose weight alpha can be moved afterwards.&lt;p&gt;Select a CT, click &lt;b&gt;Segment&lt;/b&gt;, then drag &lt;b&gt;Alpha&lt;/b&gt;. The synthetic CT under &lt;b&gt;Sample Data&lt;/b&gt;, category SERU, needs no download.&lt;/p&gt;&lt;p&gt;For many CTs at once there is the command &lt;code&gt;seru batch&lt;/code&gt;, on this computer or on a cluster, with a page to review them: see the README.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Research use only.&lt;/b&gt; This is not a medical device and must not be used for diagnosis or treatment.&lt;/p&gt;&lt;p&gt;The default model is trained on single slices of KiTS19, KiTS23 and other data sets and on synthetic CT. Its weights are &lt;b&gt;CC BY-NC-SA 4.0&lt;/b&gt;: no commercial use, name the source, share under the same licence. &lt;b&gt;Setup&lt;/b&gt; and the README say what it can do and what it cannot.&lt;/p&gt;</source>
        <translation>Findet Nieren und Nierentumoren in einem CT mit der SERU-Kaskade: eine Grobstufe auf ganzen axialen Schichten, Schlüsselschichten und Zuschnitte auf der rechten und linken Seite des Patienten, eine Feinstufe auf den Zuschnitten und die Fusion beider, deren Gewicht Alpha sich danach noch verschieben lässt.&lt;p&gt;Wählen Sie ein CT, klicken Sie auf &lt;b&gt;Segmentieren&lt;/b&gt; und verschieben Sie dann &lt;b&gt;Alpha&lt;/b&gt;. Das synthetische CT unter &lt;b&gt;Sample Data&lt;/b&gt;, Kategorie SERU, braucht keinen Download.&lt;/p&gt;&lt;p&gt;Für viele CTs auf einmal gibt es den Befehl &lt;code&gt;seru batch&lt;/code&gt;, auf diesem Rechner oder einem Cluster, mit einer Seite zum Durchsehen: siehe README.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Nur für die Forschung.&lt;/b&gt; Dies ist kein Medizinprodukt und darf nicht für Diagnose oder Behandlung verwendet werden.&lt;/p&gt;&lt;p&gt;Das vorgegebene Modell ist auf Einzelschichten aus KiTS19, KiTS23 und anderen Datensätzen und auf synthetischen CTs trainiert. Seine Gewichte stehen unter &lt;b&gt;CC BY-NC-SA 4.0&lt;/b&gt;: keine kommerzielle Nutzung, Nennung der Quelle, Weitergabe unter gleicher Lizenz. Was es kann und was nicht, sagen &lt;b&gt;Einrichtung&lt;/b&gt; und README.&lt;/p&gt;</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>The weights are derived from the KiTS19 and KiTS23 challenges&apos; data (Heller et al.), CC BY-NC-SA 4.0, and from other data sets, which the README names. The network is an SE-ResNeXt50 encoder (Hu et al., Xie et al.; after R. Cadene&apos;s pretrainedmodels) with a U-Net decoder (Ronneberger et al.), after the SERU manuscript for KiTS19. Please cite SERU and KiTS19 (see CITATION.cff) and 3D Slicer (Fedorov et al. 2012) when you use this module.</source>
        <translation>Die Gewichte sind aus den Daten der Wettbewerbe KiTS19 und KiTS23 (Heller et al.), CC BY-NC-SA 4.0, und aus anderen Datensätzen abgeleitet, die die README nennt. Das Netz besteht aus einem SE-ResNeXt50-Encoder (Hu et al., Xie et al.; nach R. Cadenes pretrainedmodels) und einem U-Net-Decoder (Ronneberger et al.), nach dem SERU-Manuskript zu KiTS19. Bitte zitieren Sie SERU und KiTS19 (siehe CITATION.cff) und 3D Slicer (Fedorov et al. 2012), wenn Sie dieses Modul verwenden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>Skipped: {reason}</source>
        <translation>Übersprungen: {reason}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>Handing a CT to a run</source>
        <translation>Ein CT wird an einen Lauf übergeben</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentation.py"/>
        <source>Segmenting the phantom</source>
        <translation>Das Phantom wird segmentiert</translation>
    </message>
</context>
<context>
    <name>SERUSegmentationLib.self_test</name>
    <message>
        <location filename="../../SERUSegmentationLib/self_test.py"/>
        <source>Kidneys of {volume} ml</source>
        <translation>Nieren mit {volume} ml</translation>
    </message>
</context>
<context>
    <name>panel.choices</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>{title} (to fetch, {size} MB)</source>
        <translation>{title} (noch herunterzuladen, {size} MB)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Do you agree?</source>
        <translation>Stimmen Sie zu?</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Do you agree, and shall it be downloaded now?</source>
        <translation>Stimmen Sie zu, und soll es jetzt heruntergeladen werden?</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Licence of the model</source>
        <translation>Lizenz des Modells</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Licence of the weights: {licence}</source>
        <translation>Lizenz der Gewichte: {licence}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Not for commercial use.</source>
        <translation>Nicht für kommerzielle Nutzung.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>Name the source when you share them, and share what you make of them under the same licence.</source>
        <translation>Nennen Sie die Quelle, wenn Sie die Gewichte weitergeben, und geben Sie daraus Abgeleitetes unter gleicher Lizenz weiter.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/choices.py"/>
        <source>For research only: not a medical device, not for diagnosis or treatment.</source>
        <translation>Nur für die Forschung: kein Medizinprodukt, nicht für Diagnose oder Behandlung.</translation>
    </message>
</context>
<context>
    <name>panel.crosshair_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>The crosshair is not in the CT; hold Shift and move the mouse to the place that is meant.</source>
        <translation>Das Fadenkreuz ist nicht im CT; halten Sie die Umschalttaste und bewegen Sie die Maus an die gemeinte Stelle.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>The crop box lies there already.</source>
        <translation>Der Zuschnittrahmen liegt schon dort.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>Another run goes on; wait for its end.</source>
        <translation>Ein anderer Lauf ist noch nicht fertig; warten Sie, bis er endet.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>{finding}: it was not believed, and is accepted now.</source>
        <translation>{finding}: wurde mit zu geringer Konfidenz gefunden und ist jetzt angenommen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>A tumor is found here already.</source>
        <translation>Hier wurde schon ein Tumor gefunden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>At alpha {alpha} tumor is found here.</source>
        <translation>Bei Alpha {alpha} wird hier Tumor gefunden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>At alpha {alpha} kidney is found here.</source>
        <translation>Bei Alpha {alpha} wird hier Niere gefunden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>The right side is refined around the crosshair.</source>
        <translation>Die rechte Seite wird um das Fadenkreuz verfeinert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/crosshair_panel.py"/>
        <source>The left side is refined around the crosshair.</source>
        <translation>Die linke Seite wird um das Fadenkreuz verfeinert.</translation>
    </message>
</context>
<context>
    <name>panel.engine_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>{engine}; Setup offers a faster one</source>
        <translation>{engine}; die Einrichtung bietet einen schnelleren an</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>OpenVINO runs the networks on the CPU and needs no other package (33 to 85 MB to download).

Its telemetry, the package openvino-telemetry, is not installed.

Download and install it into Slicer&apos;s Python now?</source>
        <translation>OpenVINO lässt die Netze auf der CPU rechnen und braucht kein weiteres Paket (33 bis 85 MB Download).

Seine Telemetrie, das Paket openvino-telemetry, wird nicht installiert.

Jetzt herunterladen und in Slicers Python installieren?</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>Installing packages</source>
        <translation>Pakete werden installiert</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>OpenVINO is installed; the next run takes it.</source>
        <translation>OpenVINO ist installiert; der nächste Lauf nutzt es.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>none is installed yet</source>
        <translation>noch keiner installiert</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>PyTorch where there is a GPU; known after the first run, or &apos;Check devices&apos; in Setup</source>
        <translation>PyTorch, wo es eine GPU gibt; bekannt nach dem ersten Lauf oder nach „Geräte prüfen“ in der Einrichtung</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>{engine} {version} in 8-bit integers, {device}</source>
        <translation>{engine} {version} mit ganzen 8-Bit-Zahlen, {device}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/engine_panel.py"/>
        <source>{engine} {version}, {device}</source>
        <translation>{engine} {version}, {device}</translation>
    </message>
</context>
<context>
    <name>panel.findings_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_panel.py"/>
        <source>Please check:</source>
        <translation>Bitte prüfen Sie:</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_panel.py"/>
        <source>and {count} more, under the mouse pointer</source>
        <translation>und {count} weitere, unter dem Mauszeiger</translation>
    </message>
</context>
<context>
    <name>panel.findings_table</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Finding</source>
        <translation>Befund</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Volume</source>
        <translation>Volumen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Diameters</source>
        <translation>Durchmesser</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>HU</source>
        <translation>HU</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Confidence</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Status</source>
        <translation>Status</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>{volume} ml</source>
        <translation>{volume} ml</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>{value}
({least} to {most})</source>
        <translation>{value}
({least} bis {most})</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>3D diameter: {mm} mm</source>
        <translation>3D-Durchmesser: {mm} mm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Slice: {slice}</source>
        <translation>Schicht: {slice}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Confidence: {percent} %</source>
        <translation>Konfidenz: {percent} %</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/findings_table.py"/>
        <source>Cut by the scan&apos;s edge: the volume is at least this.</source>
        <translation>Vom Rand des Scans abgeschnitten: Das Volumen beträgt mindestens so viel.</translation>
    </message>
</context>
<context>
    <name>panel.input_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>The model &apos;{title}&apos; that made this result is not on this computer; choose it, or click Segment.</source>
        <translation>Das Modell „{title}“, von dem dieses Ergebnis stammt, ist nicht auf diesem Rechner; wählen Sie es, oder klicken Sie auf Segmentieren.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>No model: choose a model folder</source>
        <translation>Kein Modell: Modellordner wählen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>Choose a model folder</source>
        <translation>Modellordner wählen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>The devices could not be read from what &apos;seru info&apos; printed; see the log.</source>
        <translation>Die Geräte ließen sich der Ausgabe von „seru info“ nicht entnehmen; siehe Protokoll.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/input_panel.py"/>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
</context>
<context>
    <name>panel.installation</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>about {size} MB</source>
        <translation>etwa {size} MB</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>200 MB for the CPU, up to 3 GB for an NVIDIA GPU</source>
        <translation>200 MB für die CPU, bis zu 3 GB für eine NVIDIA-GPU</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>The segmentation needs packages that are not in Slicer yet:

{packages}

Download and install them into Slicer&apos;s Python now? This takes some minutes.</source>
        <translation>Die Segmentierung benötigt Pakete, die in Slicer noch fehlen:

{packages}

Jetzt herunterladen und in Slicers Python installieren? Das dauert einige Minuten.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>The PyTorch extension is missing; install &apos;PyTorch&apos; in the Extensions Manager, restart Slicer and click Install again.</source>
        <translation>Die Erweiterung PyTorch fehlt; installieren Sie „PyTorch“ im Erweiterungsmanager, starten Sie Slicer neu und klicken Sie erneut auf „Installieren“.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>PyTorch could not be installed ({reason}).</source>
        <translation>PyTorch konnte nicht installiert werden ({reason}).</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>PyTorch was not installed; see the log of the PyTorch extension.</source>
        <translation>PyTorch wurde nicht installiert; siehe Protokoll der Erweiterung PyTorch.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/installation.py"/>
        <source>The packages could not be installed ({reason}); check the network and try again.</source>
        <translation>Die Pakete konnten nicht installiert werden ({reason}); prüfen Sie die Netzverbindung und versuchen Sie es erneut.</translation>
    </message>
</context>
<context>
    <name>panel.key_slice_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/key_slice_panel.py"/>
        <source>none found</source>
        <translation>keine gefunden</translation>
    </message>
</context>
<context>
    <name>panel.measurement_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Kidneys,
sum, ml</source>
        <translation>Nieren,
Summe, ml</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Tumors,
sum, ml</source>
        <translation>Tumoren,
Summe, ml</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Longest
tumor, mm</source>
        <translation>Größter
Tumor, mm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Tumor
share, %</source>
        <translation>Tumor-
anteil, %</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>The segments of &apos;{name}&apos; were measured as they are.</source>
        <translation>Die Segmente von &apos;{name}&apos; wurden gemessen, wie sie sind.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Export measurements</source>
        <translation>Messwerte exportieren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>{side}: kidney {kidney} ml, tumor {tumor} ml</source>
        <translation>{side}: Niere {kidney} ml, Tumor {tumor} ml</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/measurement_panel.py"/>
        <source>Neither kidney nor tumor: {names}</source>
        <translation>Weder Niere noch Tumor: {names}</translation>
    </message>
</context>
<context>
    <name>panel.nephrometry_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_panel.py"/>
        <source>The segments have changed; click Nephrometry to score them as they are now.</source>
        <translation>Die Segmente haben sich geändert; klicken Sie auf „Nephrometrie“, um sie so zu bewerten, wie sie jetzt sind.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_panel.py"/>
        <source>As they were edited, the segments show no kidney with a tumor on this side.</source>
        <translation>So wie die Segmente bearbeitet wurden, zeigen sie auf dieser Seite keine Niere mit Tumor.</translation>
    </message>
</context>
<context>
    <name>panel.nephrometry_table</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>Component</source>
        <translation>Komponente</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>Value, and what it comes from</source>
        <translation>Wert und seine Herkunft</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>Points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>{finding}: {scores}.</source>
        <translation>{finding}: {scores}.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>Of the largest of {count} tumors.</source>
        <translation>Vom größten von {count} Tumoren.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>Check each component: no label shows sinus, vessels or collecting system.</source>
        <translation>Prüfen Sie jede Komponente: Sinus, Gefäße und Hohlsystem sind nicht segmentiert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_table.py"/>
        <source>The tumor does not touch the kidney, so it may not belong to it.</source>
        <translation>Der Tumor berührt die Niere nicht, gehört also vielleicht nicht zu ihr.</translation>
    </message>
</context>
<context>
    <name>panel.nephrometry_texts</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>radius</source>
        <translation>Radius</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>exophytic</source>
        <translation>Exophytisch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>nearness</source>
        <translation>Nähe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>anterior or posterior</source>
        <translation>anterior oder posterior</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>location</source>
        <translation>Lage</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>hilum</source>
        <translation>Hilus</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>longitudinal location</source>
        <translation>Längslage</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>exophytic rate</source>
        <translation>exophytischer Anteil</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>renal rim</source>
        <translation>Nierenrand</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>renal sinus</source>
        <translation>Nierensinus</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>collecting system</source>
        <translation>Hohlsystem</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>face</source>
        <translation>Fläche</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>C-index</source>
        <translation>C-Index</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>contact surface area</source>
        <translation>Kontaktfläche</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>split renal volume</source>
        <translation>Seitenvolumen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>sinus</source>
        <translation>Sinus</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>4 cm or less</source>
        <translation>4 cm oder weniger</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>more than 4, less than 7 cm</source>
        <translation>mehr als 4, weniger als 7 cm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>7 cm or more</source>
        <translation>7 cm oder mehr</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>4.1 to 7 cm</source>
        <translation>4,1 bis 7 cm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>more than 7 cm</source>
        <translation>mehr als 7 cm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>entirely endophytic</source>
        <translation>ganz endophytisch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>less than 50 % exophytic</source>
        <translation>weniger als 50 % exophytisch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>50 % or more exophytic</source>
        <translation>50 % oder mehr exophytisch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>4 mm or less</source>
        <translation>4 mm oder weniger</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>more than 4, less than 7 mm</source>
        <translation>mehr als 4, weniger als 7 mm</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>7 mm or more</source>
        <translation>7 mm oder mehr</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>anterior</source>
        <translation>anterior</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>posterior</source>
        <translation>posterior</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>neither</source>
        <translation>weder noch</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>above or below the polar lines</source>
        <translation>oberhalb oder unterhalb der Pollinien</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>crosses a polar line</source>
        <translation>kreuzt eine Pollinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>more than half across a polar line</source>
        <translation>mehr als die Hälfte jenseits einer Pollinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>crosses the axial renal midline</source>
        <translation>kreuzt die axiale Mittellinie der Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>between the polar lines</source>
        <translation>zwischen den Pollinien</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>touches</source>
        <translation>berührt</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>does not touch</source>
        <translation>berührt nicht</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>superior or inferior</source>
        <translation>oben oder unten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>middle</source>
        <translation>Mitte</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>lateral</source>
        <translation>lateral</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>medial</source>
        <translation>medial</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>involved</source>
        <translation>betroffen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>not involved</source>
        <translation>nicht betroffen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>at least {} ml</source>
        <translation>mindestens {} ml</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>right {} %, left {} %</source>
        <translation>rechts {} %, links {} %</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>diameter</source>
        <translation>Durchmesser</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>outside</source>
        <translation>außerhalb</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>bulge</source>
        <translation>Vorwölbung</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>distance</source>
        <translation>Abstand</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>in front</source>
        <translation>davor</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>between these lines</source>
        <translation>zwischen diesen Linien</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>centres</source>
        <translation>Mitten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>along slices</source>
        <translation>entlang der Schichten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>in plane</source>
        <translation>in der Ebene</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>tumor surface</source>
        <translation>Tumoroberfläche</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>formula</source>
        <translation>Formel</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>depth</source>
        <translation>Tiefe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>right</source>
        <translation>rechts</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>left</source>
        <translation>links</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>slices</source>
        <translation>Schichten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>lower polar line</source>
        <translation>untere Pollinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>upper polar line</source>
        <translation>obere Pollinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>midline</source>
        <translation>Mittellinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>tumor lowest</source>
        <translation>Tumor unten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>tumor highest</source>
        <translation>Tumor oben</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>lower end</source>
        <translation>unteres Ende</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>upper end</source>
        <translation>oberes Ende</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>kidney</source>
        <translation>Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>tumor</source>
        <translation>Tumor</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The labels show no hilum: none, or sinus and hilum are labelled as kidney.</source>
        <translation>Die Segmente zeigen keinen Hilus: Es gibt keinen, oder Sinus und Hilus sind als Niere segmentiert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The kidney reaches the edge of the scan, so its poles are not known.</source>
        <translation>Die Niere reicht bis an den Rand der Aufnahme, also sind ihre Pole nicht bekannt.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The tumor reaches the edge of the scan, and what lies beyond is not known.</source>
        <translation>Der Tumor reicht bis an den Rand der Aufnahme, und was dahinter liegt, ist nicht bekannt.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The tumor touches the sinus, and the labels do not show the collecting system in it.</source>
        <translation>Der Tumor berührt den Sinus, und das Hohlsystem darin ist nicht segmentiert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The tumor is no wider than a voxel in its largest slice.</source>
        <translation>Der Tumor ist in seiner größten Schicht nicht breiter als ein Voxel.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The labels hold no kidney.</source>
        <translation>Die Segmente enthalten keine Niere.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The tumor&apos;s longest diameter in an axial slice.</source>
        <translation>Der längste Durchmesser des Tumors in einer axialen Schicht.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Share of the tumor&apos;s volume outside of the convex hull of the kidney without the tumor.</source>
        <translation>Anteil des Tumorvolumens außerhalb der konvexen Hülle der Niere ohne den Tumor.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The shortest way from the tumor to the renal sinus, between faces of voxels; the collecting system is in it.</source>
        <translation>Der kürzeste Weg vom Tumor zum Nierensinus, zwischen Flächen von Voxeln; darin liegt das Hohlsystem.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Share of the tumor in front of the plane through the kidney&apos;s long axis and its opening; two thirds decide.</source>
        <translation>Anteil des Tumors vor der Ebene durch die Längsachse der Niere und ihre Öffnung; zwei Drittel entscheiden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>The slices of the tumor against the first and last axial slice in which the sinus is open (the polar lines) and the one half-way between them.</source>
        <translation>Die Schichten des Tumors gegen die erste und die letzte axiale Schicht, in der der Sinus offen ist (die Pollinien), und die auf halbem Weg dazwischen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Whether the tumor touches the opening of the sinus, which the main vessels pass; the vessels are not labelled.</source>
        <translation>Ob der Tumor die Öffnung des Sinus berührt, durch die die Hauptgefäße ziehen; die Gefäße sind nicht segmentiert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Share of the tumor in the axial slices from one end of the sinus to the other.</source>
        <translation>Anteil des Tumors in den axialen Schichten von einem Ende des Sinus zum anderen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>On which side of the kidney&apos;s long axis the tumor&apos;s centre lies, along the way to the opening of the sinus.</source>
        <translation>Auf welcher Seite der Längsachse der Niere die Mitte des Tumors liegt, entlang des Wegs zur Öffnung des Sinus.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Whether the tumor touches the renal sinus.</source>
        <translation>Ob der Tumor den Nierensinus berührt.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Not involved where the tumor does not touch the renal sinus, which holds it.</source>
        <translation>Nicht betroffen, wo der Tumor den Nierensinus nicht berührt, in dem es liegt.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>From the kidney&apos;s centre (of its outline, half-way between its poles) to the tumor&apos;s in the axial slice of its largest area (half-way between two equal ones), divided by half the tumor&apos;s longest diameter there.</source>
        <translation>Von der Mitte der Niere (ihres Umrisses, auf halbem Weg zwischen ihren Polen) zu der des Tumors in der axialen Schicht seiner größten Fläche (auf halbem Weg zwischen zwei gleichen), geteilt durch seinen halben längsten Durchmesser dort.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Measured: the part of the tumor&apos;s surface (marching cubes) that has kidney on its other side; by formula: 2 pi r d, r being half the longest diameter and d how deep the tumor reaches into the kidney&apos;s convex hull, at most the diameter.</source>
        <translation>Gemessen: der Teil der Tumoroberfläche (Marching Cubes), auf dessen anderer Seite Niere liegt; nach der Formel: 2 pi r d, wobei r der halbe längste Durchmesser ist und d, wie tief der Tumor in die konvexe Hülle der Niere reicht, höchstens der Durchmesser.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>Voxels of each side&apos;s kidney without tumors, and their share of both.</source>
        <translation>Voxel der Niere jeder Seite ohne Tumoren und ihr Anteil an beiden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/nephrometry_texts.py"/>
        <source>What the convex outline of the kidney in each axial slice holds besides kidney and tumor, 5 mm deep or more, towards the middle of the body; it opens where it reaches the outline.</source>
        <translation>Was der konvexe Umriss der Niere in jeder axialen Schicht außer Niere und Tumor enthält, mindestens 5 mm tief, zur Körpermitte hin; er öffnet sich, wo er den Umriss erreicht.</translation>
    </message>
</context>
<context>
    <name>panel.parameters</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Weight of the coarse stage, 0 (refined) to 1 (coarse); the model&apos;s own by default.</source>
        <translation>Gewicht der Grobstufe, 0 (fein) bis 1 (grob); Vorgabe ist das des Modells.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Run every slice through both stages; else the sparse pass leaves some out.</source>
        <translation>Alle Schichten in beiden Stufen berechnen; sonst lässt der Vordurchgang einige aus.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Run mirror images too and take the mean: fewer false alarms, twice the time.</source>
        <translation>Auch Spiegelbilder auswerten und beide Ergebnisse mitteln: weniger Fehlalarme, doppelte Rechenzeit.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Grow a crop that would cut a kidney, or keep the paper&apos;s.</source>
        <translation>Einen Zuschnitt vergrößern, der eine Niere abschneiden würde (grow), oder bei dem der Publikation bleiben (paper).</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Leave out what is found with less confidence, 0 (nothing) to 1; the model&apos;s own by default.</source>
        <translation>Weglassen, was mit geringerer Konfidenz gefunden wurde, 0 (nichts) bis 1; Vorgabe ist die des Modells.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Keep the largest component of each side.</source>
        <translation>Auf jeder Seite nur die größte Komponente behalten.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Remove tumors that touch no kidney.</source>
        <translation>Tumoren entfernen, die keine Niere berühren.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parameters.py"/>
        <source>Remove smaller components.</source>
        <translation>Kleinere Komponenten entfernen.</translation>
    </message>
</context>
<context>
    <name>panel.parts</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parts.py"/>
        <source>The segments of SERU in &apos;{name}&apos; were edited by hand. Replace them, edits included?</source>
        <translation>Die Segmente von SERU in „{name}“ wurden von Hand bearbeitet. Trotzdem ersetzen? Die Änderungen gehen dann verloren.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parts.py"/>
        <source>&apos;{result}&apos; was deleted. Delete these parts of it too, which were renamed or edited?

{names}</source>
        <translation>„{result}“ wurde gelöscht. Auch diese umbenannten oder bearbeiteten Teile davon löschen?

{names}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parts.py"/>
        <source>No model is selected; choose a model folder.</source>
        <translation>Es ist kein Modell ausgewählt; wählen Sie einen Modellordner.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/parts.py"/>
        <source>The model is being fetched.</source>
        <translation>Das Modell wird heruntergeladen.</translation>
    </message>
</context>
<context>
    <name>panel.plain_text</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/plain_text.py"/>
        <source>SERU Segmentation</source>
        <translation>SERU-Segmentierung</translation>
    </message>
</context>
<context>
    <name>panel.refining</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/refining.py"/>
        <source>Both sides</source>
        <translation>Beide Seiten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/refining.py"/>
        <source>Right side</source>
        <translation>Rechte Seite</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/refining.py"/>
        <source>Left side</source>
        <translation>Linke Seite</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/refining.py"/>
        <source>The CT of this result is not in the scene; load it and click Segment.</source>
        <translation>Das CT dieses Ergebnisses ist nicht in der Szene; laden Sie es und klicken Sie auf Segmentieren.</translation>
    </message>
</context>
<context>
    <name>panel.result_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/result_panel.py"/>
        <source>refined</source>
        <translation>fein</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/result_panel.py"/>
        <source>coarse</source>
        <translation>grob</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/result_panel.py"/>
        <source>The model&apos;s default alpha: {alpha}</source>
        <translation>Alpha-Vorgabe des Modells: {alpha}</translation>
    </message>
</context>
<context>
    <name>panel.run_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Segment cannot start yet:</source>
        <translation>Segmentieren ist noch nicht möglich:</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Segment kidneys and tumors of the selected CT.</source>
        <translation>Nieren und Tumoren im ausgewählten CT segmentieren.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Stop the run; nothing is written.</source>
        <translation>Lauf anhalten; es wird nichts geschrieben.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Starting</source>
        <translation>Wird gestartet</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>{time} elapsed</source>
        <translation>{time} vergangen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>about {time} left</source>
        <translation>noch etwa {time}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Cancelling...</source>
        <translation>Wird abgebrochen...</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Stopping the run</source>
        <translation>Der Lauf wird angehalten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Segment</source>
        <translation>Segmentieren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>Done in {time}.</source>
        <translation>Fertig in {time}.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>&apos;{name}&apos;: {text}</source>
        <translation>„{name}“: {text}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/run_panel.py"/>
        <source>{part}: {text}</source>
        <translation>{part}: {text}</translation>
    </message>
</context>
<context>
    <name>panel.setup_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Everything the segmentation needs is installed</source>
        <translation>Alles, was die Segmentierung benötigt, ist installiert</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Install what is missing, after asking</source>
        <translation>Fehlendes nach Rückfrage installieren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Nothing was installed; the segmentation cannot run without these packages.</source>
        <translation>Es wurde nichts installiert; ohne diese Pakete kann die Segmentierung nicht laufen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Installing packages</source>
        <translation>Pakete werden installiert</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>The packages are installed.</source>
        <translation>Die Pakete sind installiert.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>The selected model is not on this computer; open Setup and click Fetch.</source>
        <translation>Das ausgewählte Modell ist nicht auf diesem Rechner; öffnen Sie „Einrichtung“ und klicken Sie auf „Herunterladen“.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>The model was not fetched; click Segment to be asked again.</source>
        <translation>Das Modell wurde nicht heruntergeladen; klicken Sie auf Segmentieren, um erneut gefragt zu werden.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>missing</source>
        <translation>fehlt</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>not checked yet</source>
        <translation>noch nicht geprüft</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Packages: {list}</source>
        <translation>Pakete: {list}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Devices: {list}</source>
        <translation>Geräte: {list}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Engine: {engine}</source>
        <translation>Rechenkern: {engine}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>No model is selected.</source>
        <translation>Es ist kein Modell ausgewählt.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>not on this computer yet</source>
        <translation>noch nicht auf diesem Rechner</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Licence: {licence}</source>
        <translation>Lizenz: {licence}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Checking devices</source>
        <translation>Geräte werden geprüft</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>The model was fetched and its checksums agree.</source>
        <translation>Das Modell wurde heruntergeladen, und seine Prüfsummen stimmen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Fetching {title}</source>
        <translation>{title} wird heruntergeladen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>{text}; the run starts afterwards.</source>
        <translation>{text}; danach beginnt der Lauf.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>The model&apos;s files are OK.</source>
        <translation>Die Dateien des Modells sind in Ordnung.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Delete every model in {folder}?</source>
        <translation>Alle Modelle in {folder} löschen?</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>Deleted: {names}</source>
        <translation>Gelöscht: {names}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/setup_panel.py"/>
        <source>There was nothing to delete.</source>
        <translation>Es gab nichts zu löschen.</translation>
    </message>
</context>
<context>
    <name>panel.verdict_list_panel</name>
    <message>
        <location filename="../../SERUSegmentationLib/panel/verdict_list_panel.py"/>
        <source>Read verdicts</source>
        <translation>Urteile lesen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/verdict_list_panel.py"/>
        <source>Verdicts that were read: {count}.</source>
        <translation>Gelesene Urteile: {count}.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/verdict_list_panel.py"/>
        <source>The list holds no verdict.</source>
        <translation>Die Liste enthält kein Urteil.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/verdict_list_panel.py"/>
        <source>Choose a case</source>
        <translation>Fall wählen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/panel/verdict_list_panel.py"/>
        <source>Which case of the list is this CT?</source>
        <translation>Welcher Fall der Liste ist dieses CT?</translation>
    </message>
</context>
<context>
    <name>run.background</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/background.py"/>
        <source>The scene was closed during the run; nothing was written.</source>
        <translation>Die Szene wurde während des Laufs geschlossen; es wurde nichts geschrieben.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/background.py"/>
        <source>The volume was deleted during the run; nothing was written.</source>
        <translation>Das Volumen wurde während des Laufs gelöscht; es wurde nichts geschrieben.</translation>
    </message>
</context>
<context>
    <name>run.failures</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/failures.py"/>
        <source>{reason} (in the module: Setup, Fetch).</source>
        <translation>{reason} (im Modul: Einrichtung, Herunterladen).</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/failures.py"/>
        <source>The Python package &apos;{name}&apos; is missing; open Setup and click Install.</source>
        <translation>Das Python-Paket „{name}“ fehlt; öffnen Sie „Einrichtung“ und klicken Sie auf „Installieren“.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/failures.py"/>
        <source>The segmentation process printed without end and was stopped; see the log.</source>
        <translation>Der Segmentierungsprozess gab endlos Text aus und wurde angehalten; siehe Protokoll.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/failures.py"/>
        <source>The segmentation process was killed from outside, most likely because memory ran out; close other programs or crop the volume and try again.</source>
        <translation>Der Segmentierungsprozess wurde von außen beendet, vermutlich aus Speichermangel; schließen Sie andere Programme oder beschneiden Sie das Volumen und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/failures.py"/>
        <source>The segmentation process died unexpectedly (exit code {code}); see the log.</source>
        <translation>Der Segmentierungsprozess endete unerwartet (Exit-Code {code}); siehe Protokoll.</translation>
    </message>
</context>
<context>
    <name>run.handing</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/handing.py"/>
        <source>No CT volume is selected; load a CT and select it.</source>
        <translation>Es ist kein CT-Volumen ausgewählt; laden Sie ein CT und wählen Sie es aus.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/handing.py"/>
        <source>&apos;{name}&apos; is not a CT volume; select a scalar volume.</source>
        <translation>„{name}“ ist kein CT-Volumen; wählen Sie ein skalares Volumen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/handing.py"/>
        <source>The volume &apos;{name}&apos; has no voxels; load it again.</source>
        <translation>Das Volumen „{name}“ hat keine Voxel; laden Sie es erneut.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/handing.py"/>
        <source>The volume cannot be written to &apos;{folder}&apos;; free some disk space and try again.</source>
        <translation>Das Volumen kann nicht nach „{folder}“ geschrieben werden; geben Sie Speicherplatz frei und versuchen Sie es erneut.</translation>
    </message>
</context>
<context>
    <name>run.progress</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Starting</source>
        <translation>Wird gestartet</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Reading the volume</source>
        <translation>Volumen wird gelesen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Preparing slices</source>
        <translation>Schichten werden vorbereitet</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Coarse stage</source>
        <translation>Grobstufe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Finding key slices</source>
        <translation>Schlüsselschichten werden gesucht</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Refine stage</source>
        <translation>Feinstufe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Fusing</source>
        <translation>Fusion</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>Writing</source>
        <translation>Ergebnis wird geschrieben</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/progress.py"/>
        <source>{stage}, slice {done} of {total}</source>
        <translation>{stage}, Schicht {done} von {total}</translation>
    </message>
</context>
<context>
    <name>run.refinement</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/refinement.py"/>
        <source>The result was deleted while a side was refined; nothing was written.</source>
        <translation>Das Ergebnis wurde gelöscht, während eine Seite verfeinert wurde; es wurde nichts geschrieben.</translation>
    </message>
</context>
<context>
    <name>run.segmentation</name>
    <message>
        <location filename="../../SERUSegmentationLib/run/segmentation.py"/>
        <source>The segmentation process cannot be started ({reason}).</source>
        <translation>Der Segmentierungsprozess kann nicht gestartet werden ({reason}).</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/segmentation.py"/>
        <source>The volume was deleted during the run; nothing was written.</source>
        <translation>Das Volumen wurde während des Laufs gelöscht; es wurde nichts geschrieben.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/segmentation.py"/>
        <source>The run was cancelled; nothing was written.</source>
        <translation>Der Lauf wurde abgebrochen; es wurde nichts geschrieben.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/segmentation.py"/>
        <source>&apos;{name}&apos; was edited during the run and is kept; the result is in a new segmentation.</source>
        <translation>„{name}“ wurde während des Laufs bearbeitet und bleibt erhalten; das Ergebnis liegt in einer neuen Segmentierung.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/run/segmentation.py"/>
        <source>{reason} The result is in a new segmentation.</source>
        <translation>{reason} Das Ergebnis liegt in einer neuen Segmentierung.</translation>
    </message>
</context>
<context>
    <name>scene.drawn_segments</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/drawn_segments.py"/>
        <source>The segments are measured on a CT&apos;s grid; select the CT that they belong to.</source>
        <translation>Die Segmente werden auf dem Gitter eines CT gemessen; wählen Sie das CT, zu dem sie gehören.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/drawn_segments.py"/>
        <source>No segment of &apos;{name}&apos; is called kidney or tumor; name the segments so, or choose their terminology.</source>
        <translation>Kein Segment von &apos;{name}&apos; heißt Niere oder Tumor (kidney, tumor); benennen Sie die Segmente so, oder wählen Sie ihre Terminologie.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/drawn_segments.py"/>
        <source>The kidneys and tumors of &apos;{name}&apos; have no voxel in the CT &apos;{volume}&apos;.</source>
        <translation>Die Nieren und Tumoren von &apos;{name}&apos; haben kein Voxel im CT &apos;{volume}&apos;.</translation>
    </message>
</context>
<context>
    <name>scene.finding_names</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Candidate: {finding}</source>
        <translation>Kandidat: {finding}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Dismissed: {finding}</source>
        <translation>Verworfen: {finding}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Found</source>
        <translation>Gefunden</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Accepted</source>
        <translation>Angenommen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Candidate</source>
        <translation>Kandidat</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Dismissed</source>
        <translation>Verworfen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>{finding} {number}</source>
        <translation>{finding} {number}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Right kidney</source>
        <translation>Rechte Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Left kidney</source>
        <translation>Linke Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Right tumor</source>
        <translation>Rechter Tumor</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>Left tumor</source>
        <translation>Linker Tumor</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>right kidney</source>
        <translation>rechte Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>left kidney</source>
        <translation>linke Niere</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>right tumor</source>
        <translation>rechter Tumor</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_names.py"/>
        <source>left tumor</source>
        <translation>linker Tumor</translation>
    </message>
</context>
<context>
    <name>scene.finding_outlines</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_outlines.py"/>
        <source>Chosen finding</source>
        <translation>Gewählter Befund</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/finding_outlines.py"/>
        <source>{name} candidates</source>
        <translation>{name} Kandidaten</translation>
    </message>
</context>
<context>
    <name>scene.geometry</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/geometry.py"/>
        <source>The CT lies under a transform that bends it, as Slicer loads a tilted gantry&apos;s series: volumes and diameters are of its voxels as stored and may be wrong; &apos;seru segment&apos; on the DICOM files measures them as they lie.</source>
        <translation>Die CT liegt unter einer Transformation, die sie verbiegt, wie Slicer die Serie einer gekippten Gantry lädt: Volumen und Durchmesser gelten für ihre Voxel, wie sie gespeichert sind, und können falsch sein; „seru segment“ misst die DICOM-Dateien so, wie sie liegen.</translation>
    </message>
</context>
<context>
    <name>scene.measurement_rows</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_rows.py"/>
        <source>Right</source>
        <translation>Rechts</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_rows.py"/>
        <source>Left</source>
        <translation>Links</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_rows.py"/>
        <source>Both</source>
        <translation>Beide</translation>
    </message>
</context>
<context>
    <name>scene.measurement_table</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>{name} measurements</source>
        <translation>{name} Messwerte</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>{name} as drawn</source>
        <translation>{name}, wie gezeichnet</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>There are no measurements yet; click Segment first.</source>
        <translation>Es gibt noch keine Messwerte; klicken Sie zuerst auf „Segmentieren“.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>The file &apos;{path}&apos; cannot be written ({reason}); choose another.</source>
        <translation>Die Datei „{path}“ kann nicht geschrieben werden ({reason}); wählen Sie eine andere.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Finding</source>
        <translation>Befund</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Kind</source>
        <translation>Art</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Side</source>
        <translation>Seite</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Number</source>
        <translation>Nummer</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Status</source>
        <translation>Status</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Confidence</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Volume (ml)</source>
        <translation>Volumen (ml)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Volume, least (ml)</source>
        <translation>Volumen, Minimum (ml)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Volume, most (ml)</source>
        <translation>Volumen, Maximum (ml)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest axial diameter (mm)</source>
        <translation>Längster axialer Durchmesser (mm)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest, least (mm)</source>
        <translation>Längster axialer Durchmesser, Minimum (mm)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest, most (mm)</source>
        <translation>Längster axialer Durchmesser, Maximum (mm)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Across (mm)</source>
        <translation>Querdurchmesser (mm)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest 3D diameter (mm)</source>
        <translation>Längster 3D-Durchmesser (mm)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>HU, mean</source>
        <translation>HU, Mittelwert</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>HU, deviation</source>
        <translation>HU, Standardabweichung</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Contact with the other label (mm²)</source>
        <translation>Kontaktfläche mit dem anderen Label (mm²)</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Cut by the scan&apos;s edge</source>
        <translation>Vom Scanrand abgeschnitten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>yes</source>
        <translation>ja</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>no</source>
        <translation>nein</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Slice</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Centre</source>
        <translation>Mittelpunkt</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest, start</source>
        <translation>Längster Durchmesser, Anfang</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Longest, end</source>
        <translation>Längster Durchmesser, Ende</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Across, start</source>
        <translation>Querdurchmesser, Anfang</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Across, end</source>
        <translation>Querdurchmesser, Ende</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Sum of kidneys</source>
        <translation>Summe der Nieren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/measurement_table.py"/>
        <source>Sum of tumors</source>
        <translation>Summe der Tumoren</translation>
    </message>
</context>
<context>
    <name>scene.nephrometry_markups</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Polar lines and coronal plane</source>
        <translation>Pollinien und Koronarebene</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Polar lines</source>
        <translation>Pollinien</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Long axis</source>
        <translation>Längsachse</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Longest diameter</source>
        <translation>Längster Durchmesser</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Between the centres</source>
        <translation>Zwischen den Mitten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>To the sinus</source>
        <translation>Zum Sinus</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Lower polar line</source>
        <translation>Untere Pollinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Midline</source>
        <translation>Mittellinie</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/nephrometry_markups.py"/>
        <source>Upper polar line</source>
        <translation>Obere Pollinie</translation>
    </message>
</context>
<context>
    <name>scene.result_controller</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/result_controller.py"/>
        <source>There is no result yet: select a CT and click Segment.</source>
        <translation>Noch kein Ergebnis: Wählen Sie ein CT und klicken Sie auf „Segmentieren“.</translation>
    </message>
</context>
<context>
    <name>scene.scene_writer</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>The volume &apos;{name}&apos; was given another geometry during the run; click Segment again.</source>
        <translation>Das Volumen „{name}“ erhielt während des Laufs eine andere Geometrie; klicken Sie erneut auf „Segmentieren“.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>What was accepted or dismissed before is applied to this run too (findings: {count}).</source>
        <translation>Frühere Entscheidungen über Befunde gelten auch für diesen Lauf (Befunde: {count}).</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>{volume} kidneys</source>
        <translation>{volume} Nieren</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>right</source>
        <translation>rechts</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>left</source>
        <translation>links</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>{name} stages</source>
        <translation>{name} Stufen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>Key slice {side}</source>
        <translation>Schlüsselschicht {side}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>{name} key slices</source>
        <translation>{name} Schlüsselschichten</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>{name} crop {side}</source>
        <translation>{name} Zuschnitt {side}</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>Right</source>
        <translation>Rechts</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>Left</source>
        <translation>Links</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>The segmentation &apos;{name}&apos; is part of another result; choose or create another one.</source>
        <translation>Die Segmentierung „{name}“ gehört zu einem anderen Ergebnis; wählen oder erstellen Sie eine andere.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>The segmentation &apos;{name}&apos; holds other segments under another transform than the CT; choose or create another one.</source>
        <translation>Die Segmentierung „{name}“ enthält weitere Segmente unter einer anderen Transformation als das CT; wählen oder erstellen Sie eine andere.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/scene_writer.py"/>
        <source>The segmentation &apos;{name}&apos; holds other segments that are not labelmaps; choose or create another one.</source>
        <translation>Die Segmentierung „{name}“ enthält weitere Segmente, die keine Labelmaps sind; wählen oder erstellen Sie eine andere.</translation>
    </message>
</context>
<context>
    <name>scene.segments</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>Fused segments</source>
        <translation>Fusionierte Segmente</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>Coarse stage</source>
        <translation>Grobstufe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>Refine stage</source>
        <translation>Feinstufe</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>Disagreement of the stages</source>
        <translation>Abweichung der Stufen</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>coarse</source>
        <translation>grob</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>refined</source>
        <translation>fein</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/segments.py"/>
        <source>Disagreement</source>
        <translation>Abweichung</translation>
    </message>
</context>
<context>
    <name>scene.stored_result</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/stored_result.py"/>
        <source>This segmentation carries no SERU maps; click Segment to make them.</source>
        <translation>Diese Segmentierung enthält keine SERU-Karten; klicken Sie auf „Segmentieren“, um sie zu erstellen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/stored_result.py"/>
        <source>The SERU maps in this scene are damaged; click Segment to make them again.</source>
        <translation>Die SERU-Karten in dieser Szene sind beschädigt; klicken Sie auf „Segmentieren“, um sie neu zu erstellen.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/stored_result.py"/>
        <source>The SERU maps were not saved with this scene; click Segment to make them again.</source>
        <translation>Die SERU-Karten wurden nicht mit dieser Szene gespeichert; klicken Sie auf „Segmentieren“, um sie neu zu erstellen.</translation>
    </message>
</context>
<context>
    <name>scene.stored_verdicts</name>
    <message>
        <location filename="../../SERUSegmentationLib/scene/stored_verdicts.py"/>
        <source>What was said of this result&apos;s findings is damaged and not applied; accept or dismiss them again.</source>
        <translation>Die Entscheidungen über die Befunde dieses Ergebnisses sind beschädigt und werden nicht angewendet; nehmen Sie die Befunde erneut an oder verwerfen Sie sie.</translation>
    </message>
    <message>
        <location filename="../../SERUSegmentationLib/scene/stored_verdicts.py"/>
        <source>What was accepted or dismissed before was given on another CT and is not applied.</source>
        <translation>Frühere Entscheidungen über Befunde beziehen sich auf ein anderes CT und werden nicht angewendet.</translation>
    </message>
</context>
</TS>
