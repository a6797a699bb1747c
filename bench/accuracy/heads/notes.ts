export const HEADS_NOTE = `Twenty-four heads made of MakeHuman's base mesh (CC0): three origins, mixed with the others by up to a third, both sexes, young, old
and half-grown, each with shapes of its own for lids, folds, sockets, nose and skull, skin from dark to light, eyes from brown to blue; no two alike. Each has a camera of 58–78°, a distance of 45–75 cm and a light of its own. *Looks at the screen* are spread
over a 14-inch screen, two thirds of the turn with the head, a quarter of them behind dark rims, uncalibrated. *Turning*: after the five points the head
is turned by 12° and 20° to both sides while the eyes stay on the first one. Constants were set on other heads. They are plastic: no pores, no real
hair, cut below the neck.

`;

export const GROUPS_NOTE = `What the differences mean: a share of 95 % is known within 2.5 points of 288 looks, 4 of 96 and 7 of 36, were all looks independent (95 % confidence, binomial).
They are 12 looks of each head, and heads differ more than looks do, so differences under 5 points between groups of 96 or fewer are chance. Hard light from
one side lies 2 points under the rest, where it lay up to 8 points under it before it was taken out of the yaw. African and half-grown heads lie 5 and 9 points under
the whole here, in the set that constants were set on 1 point under and 1 over it: four to eight heads decide such a group.
`;
