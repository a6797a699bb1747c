export const HEADS_NOTE = `Twenty-four heads made of MakeHuman's base mesh (CC0): three origins, mixed with the others by up to a third, both sexes, young, old
and half-grown, each with shapes of its own for lids, folds, sockets, nose and skull, skin from dark to light, eyes from brown to blue; no two alike, and
none that a constant was set on. Each has a camera of 58–78°, a distance of 45–75 cm and a light of its own. *Looks at the screen* are spread
over a 14-inch screen, two thirds of the turn with the head, a quarter of them behind dark rims, uncalibrated. They are plastic: no pores, no real
hair, cut below the neck.

`;
