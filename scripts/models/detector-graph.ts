import { DETECTOR_BOX_VALUES, DETECTOR_BOXES, DETECTOR_SIZE } from '../../shared/vision/detector.ts';
import { Lowering } from './lowering.ts';
import { OnnxGraph } from './onnx.ts';
import { readTflite } from './tflite.ts';

/**
 * The short-range face detector as ONNX. In: `image` [1, 3, 128, 128], −1…1. Out: `boxes`
 * [896, 16] in input pixels relative to the anchors and `scores` [896] (logits).
 */
export function detectorToOnnx(tflite: Uint8Array): Uint8Array {
  const graph = readTflite(tflite);
  const onnx = new OnnxGraph('face_detection_short_range');
  const lowering = new Lowering(graph, onnx);
  const [input] = graph.inputs;
  if (input === undefined) throw new Error('the detector has no input');
  lowering.bindInput(input, onnx.input('image', [1, 3, DETECTOR_SIZE, DETECTOR_SIZE]));

  const joined = (output: number | undefined, values: number): string => {
    const concatenation = graph.operators.find((operator) => operator.outputs[0] === output);
    const parts = (concatenation?.inputs ?? []).map((tensor) => {
      const source = graph.operators.find((operator) => operator.outputs[0] === tensor)?.inputs[0];
      if (source === undefined) throw new Error('the detector does not end in reshapes');
      const rows = onnx.node('Transpose', [lowering.value([source])], { perm: [0, 2, 3, 1] });
      return onnx.node('Reshape', [rows, onnx.int64s(values === 1 ? [-1] : [-1, values])]);
    });
    return onnx.node('Concat', parts, { axis: 0 });
  };
  onnx.output('boxes', joined(graph.outputs[0], DETECTOR_BOX_VALUES), [DETECTOR_BOXES, DETECTOR_BOX_VALUES]);
  onnx.output('scores', joined(graph.outputs[1], 1), [DETECTOR_BOXES]);
  return onnx.encode();
}
