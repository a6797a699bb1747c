import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import { loadModels } from '../../inference/models/store.ts';
import { describeEngine } from './support/engine-contract.ts';

describeEngine('onnx', async () => createOnnxEngine((await loadModels()).files));
