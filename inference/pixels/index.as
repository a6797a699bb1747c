export { decode, pictureHeight, pictureWidth } from './jpeg';
export { luma, measure, sample, variance } from './sampler';
export { INPUT, PICTURE, TENSOR } from './layout';
