export const COVERS_NOTE = `Eight seconds of each clip at five frames a second through the tracker, with something before the eyes or the lens: dark lenses,
glare, a window's reflection, a patch on one eye (three of each), a cap and tape with a sensor's noise, light that blinds the camera, a blurred
lens. All time counted as focused or unfocused here is wrong, except with one eye patched: then the man still watches his screen.

A small network decides whether an eye can be seen, from a picture of 12 × 8 cells around it (\`shared/vision/eye-pixels.ts\`), fitted by
\`tsx bench/accuracy/covers/train.ts\` on eyes of clips, portraits and CMU faces with covers drawn over them, and on CMU's sunglasses. Of a quarter of
the subjects, left out of a first fit, it called 98 in 100 covered eyes covered and 1 in 100 open ones (364 of 380 behind a window's
reflection). The covers here are drawn by the same program; worn glasses that reflect, filmed, were not at hand. Covered, dark
and burnt-out lenses are told by arithmetic alone (\`picture-fault.ts\`): no edge in the picture stands out of its noise.
`;
