import { createOnnxEngine, createOnnxWebEngine } from '../../../inference/engine/onnx.ts';
import { createTfjsEngine } from '../../../inference/engine/tfjs.ts';
import { defaultModelFolder, loadModels } from '../../../inference/models/store.ts';
import { loadTfjsModels } from '../../../inference/models/tfjs-store.ts';
import { describeAgreement, describeEngine } from '../../support/engine-contract.ts';

const openOnnx = async () => createOnnxEngine(await loadModels());
const openOnnxWeb = async () => createOnnxWebEngine(await loadModels());
const openTfjs = async () => createTfjsEngine(await loadTfjsModels(defaultModelFolder()));

describeEngine('onnx', openOnnx);
describeEngine('onnx-web', openOnnxWeb);
describeEngine('tfjs', openTfjs);

describeAgreement('onnx-web', openOnnxWeb, openOnnx);
describeAgreement('tfjs', openTfjs, openOnnx);
