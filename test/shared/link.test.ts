import { describe, expect, it } from 'vitest';
import { decodeInferenceRequest, encodeInferenceRequest, type InferenceRequest } from '../../shared/link.ts';

const REQUEST: InferenceRequest = {
  requestId: 7,
  budgetMs: 400,
  frame: { widthPx: 640, heightPx: 480 },
  crop: { xPx: 10, yPx: 20, widthPx: 200, heightPx: 200 },
  roi: null,
  image: Uint8Array.of(1, 2, 3),
};

describe('an inference request', () => {
  it('is read as it was written, with and without the wish to count faces', () => {
    const roi = { centerXPx: 100, centerYPx: 90, sizePx: 150, rotationRad: 0.1 };
    for (const request of [REQUEST, { ...REQUEST, roi }, { ...REQUEST, roi, countFaces: true }]) {
      expect(decodeInferenceRequest(encodeInferenceRequest(request))).toEqual(request);
    }
  });
});
