// Where everything lies in the module's memory, which never grows: views of it stay valid.

/** Largest picture, either way up, and longest file: inference/pixels/guard.ts and inference/server.ts say the same. */
export const MAX_LONG_SIDE: i32 = 1280;
export const MAX_SHORT_SIDE: i32 = 960;
export const MAX_FILE_BYTES: i32 = 0x80000;

/** Four quantisation tables of 64 i16, in natural order. */
export const QUANT: usize = 0x10000;
/** Four Huffman tables, HUFFMAN_BYTES apart: DC 0, DC 1, AC 0, AC 1. */
export const HUFFMAN: usize = 0x11000;
export const HUFFMAN_BYTES: usize = 0x2000;
/** Coefficients of one block, and the two passes of its transform. */
export const BLOCK: usize = 0x19000;
export const PASS_ONE: usize = 0x19100;
export const PASS_TWO: usize = 0x19200;
/** Chroma of one row before it is widened, i16, with room for a neighbour on both sides. */
export const BLUE_ROW: usize = 0x1a000;
export const RED_ROW: usize = 0x1c000;
/** The file. */
export const INPUT: usize = 0x20000;
/** Three planes of 192×192 floats; those of 128×128 lie at the same place. */
export const TENSOR: usize = 0xa2000;
/** Decoded components, COMPONENT_BYTES apart. */
export const COMPONENTS: usize = 0x140000;
export const COMPONENT_BYTES: usize = 0x140000;
/** The picture, four bytes a pixel. */
export const PICTURE: usize = 0x500000;
