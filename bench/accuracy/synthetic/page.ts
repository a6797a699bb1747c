import {
  AmbientLight,
  Color,
  DirectionalLight,
  Group,
  Matrix4,
  Mesh,
  MeshStandardMaterial,
  type Object3D,
  PCFShadowMap,
  PerspectiveCamera,
  Scene as ThreeScene,
  TorusGeometry,
  Vector3,
  WebGLRenderer,
} from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { seededRandom } from '../../../harness/random.ts';
import { type Lashes, makeLashes } from './lashes.ts';
import { FRAME, type Light, type RenderJob } from './scene.ts';
import { makeSkin, type Skin } from './skin.ts';

/** Calls that Node makes on the page. */
export interface RenderPage {
  load(glbBase64: string): Promise<void>;
  /** A JPEG of quality 70 as base64. */
  render(job: RenderJob): string;
}

declare global {
  interface Window {
    renderPage: RenderPage;
  }
}

const JPEG_QUALITY = 0.7;
/** With the model's own gloss (0.25) a light from the side paints the pupil white, which no eye shows. */
const EYE_ROUGHNESS = 0.75;
const SHADOW_MAP_PX = 1024;
/** Half of what a head's shadow map covers, and how far its light is put, metres. */
const HEAD_M = 0.22;
const LIGHT_M = 1.2;
const NEAR_M = 0.05;
const FAR_M = 5;

/** Ambient and key light; the key's direction is towards a light at the left. */
const LIGHTING: Readonly<Record<Light, { ambient: number; key: number; from: readonly [number, number, number] }>> = {
  front: { ambient: 1.2, key: 2.2, from: [0, 1, 1] },
  side: { ambient: 1.6, key: 1.5, from: [-0.8, 0.6, 1] },
  hardSide: { ambient: 0.6, key: 3, from: [-1, 0.4, 0.5] },
};

const canvas = document.createElement('canvas');
canvas.width = FRAME.widthPx;
canvas.height = FRAME.heightPx;
const sketch = canvas.getContext('2d', { willReadFrequently: true });
const renderer = new WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(FRAME.widthPx, FRAME.heightPx, false);
const world = new ThreeScene();
const camera = new PerspectiveCamera(45, FRAME.widthPx / FRAME.heightPx, NEAR_M, FAR_M);
const ambient = new AmbientLight(0xffffff);
const key = new DirectionalLight(0xffffff);
const pivot = new Group();
// Lids, brows and nose cast shadows: without them light shines through the head into sockets and nostrils.
renderer.shadowMap.enabled = true;
renderer.shadowMap.type = PCFShadowMap;
key.castShadow = true;
key.shadow.mapSize.set(SHADOW_MAP_PX, SHADOW_MAP_PX);
key.shadow.bias = -0.0005;
key.shadow.normalBias = 0.0012;
Object.assign(key.shadow.camera, { left: -HEAD_M, right: HEAD_M, top: HEAD_M, bottom: -HEAD_M, near: 0.1, far: 3 });
world.add(ambient, key, key.target, pivot);

function part(root: Object3D, name: string): Object3D {
  const found = root.getObjectByName(name);
  if (found === undefined) throw new Error(`the head has no node "${name}"`);
  return found;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Rims of dark plastic before the eyes. */
function makeGlasses(places: readonly Vector3[]): Group {
  const glasses = new Group();
  const material = new MeshStandardMaterial({ color: 0x101010, roughness: 0.6 });
  for (const place of places) {
    const rim = new Mesh(new TorusGeometry(0.024, 0.0022, 10, 40), material);
    rim.scale.set(1, 0.8, 1);
    rim.position.copy(place).add(new Vector3(0, -0.002, 0.024));
    glasses.add(rim);
  }
  return glasses;
}

let head: Skin;
let eyes: readonly Object3D[] = [];
let eyePlaces: readonly Vector3[] = [];
let lashes: readonly Lashes[] = [];
let glasses: Group;
let skinColors: { material: MeshStandardMaterial; color: Color }[] = [];

/** Lids follow the eyes up and down, and bulge a little sideways. */
function poseFace(job: RenderJob): void {
  const rad = Math.PI / 180;
  for (const eye of eyes) eye.rotation.set(-job.eyePitchDeg * rad, job.eyeYawDeg * rad, 0, 'YXZ');
  const down = clamp01(-job.eyePitchDeg / 30) * job.lidFollow;
  const up = clamp01(job.eyePitchDeg / 30) * job.lidFollow;
  // Lids that hang do not hang further when they follow the eye down.
  const lidsDown = job.blink + (1 - job.blink) * job.squint * (1 - 0.6 * down);
  const toRight = clamp01(job.eyeYawDeg / 35);
  const toLeft = clamp01(-job.eyeYawDeg / 35);
  head.pose({
    eyeBlinkLeft: lidsDown,
    eyeBlinkRight: lidsDown,
    eyeLookDownLeft: down * (1 - job.blink),
    eyeLookDownRight: down * (1 - job.blink),
    eyeLookUpLeft: up * (1 - job.blink),
    eyeLookUpRight: up * (1 - job.blink),
    eyeLookOutLeft: toRight,
    eyeLookInRight: toRight,
    eyeLookOutRight: toLeft,
    eyeLookInLeft: toLeft,
  });
  // A lid that follows the eye turns its lashes less than one that shuts.
  for (const each of lashes) each.follow(lidsDown + (1 - lidsDown) * 0.45 * down);
}

/** Another head: wider or narrower, longer or shorter. The eyeballs keep their shape, so that their angles stay exact. */
function shapeHead(job: RenderJob): void {
  head.mesh.scale.set(job.headWidth, job.headHeight, 1);
  eyes.forEach((eye, i) => {
    const place = eyePlaces[i];
    if (place !== undefined) eye.position.set(place.x * job.headWidth, place.y * job.headHeight, place.z);
    eye.scale.setScalar(Math.sqrt(job.headWidth * job.headHeight));
  });
  glasses.scale.set(job.headWidth, job.headHeight, 1);
}

/** Noise that a picture's pixels pick from at random: near enough to normal, deviation 1. */
const NOISE = ((): Float32Array => {
  const random = seededRandom(1);
  return Float32Array.from({ length: 4096 }, () => (random() + random() + random() - 1.5) * 2);
})();

function addNoise(job: RenderJob): void {
  if (sketch === null || job.noise === 0) return;
  const picture = sketch.getImageData(0, 0, FRAME.widthPx, FRAME.heightPx);
  const { data } = picture;
  // A linear congruential generator (Numerical Recipes): its upper bits pick.
  let state = job.noiseSeed >>> 0;
  for (let i = 0; i < data.length; i += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = (NOISE[state >>> 20] ?? 0) * job.noise;
    data[i] = (data[i] ?? 0) + value;
    data[i + 1] = (data[i + 1] ?? 0) + value;
    data[i + 2] = (data[i + 2] ?? 0) + value;
  }
  sketch.putImageData(picture, 0, 0);
}

window.renderPage = {
  load: async (glbBase64) => {
    const bytes = Uint8Array.from(atob(glbBase64), (char) => char.charCodeAt(0));
    const { scene } = await new GLTFLoader().parseAsync(bytes.buffer, '');
    const found = part(scene, 'Head');
    const morphed: Mesh[] = [];
    found.traverse((node) => {
      if (node instanceof Mesh && node.morphTargetDictionary !== undefined) morphed.push(node);
    });
    const [mesh] = morphed;
    if (mesh === undefined) throw new Error('the head has no morphs');
    head = makeSkin(mesh);
    scene.updateMatrixWorld(true);
    eyes = [part(scene, 'LeftEye'), part(scene, 'RightEye')];
    for (const eye of eyes) {
      scene.attach(eye);
      eye.traverse((node) => {
        if (!(node instanceof Mesh)) return;
        node.receiveShadow = true;
        if (node.material instanceof MeshStandardMaterial) node.material.roughness = EYE_ROUGHNESS;
      });
    }
    mesh.castShadow = true;
    mesh.receiveShadow = true;
    eyePlaces = eyes.map((eye) => eye.position.clone());
    const [left, right] = eyePlaces;
    if (left === undefined || right === undefined) throw new Error('the head has no eyes');
    lashes = [makeLashes(head, left, 'eyeBlinkLeft'), makeLashes(head, right, 'eyeBlinkRight')];
    for (const { mesh: ribbon } of lashes) mesh.add(ribbon);
    glasses = makeGlasses([left, right]);
    scene.add(glasses);
    scene.position.copy(left).add(right).multiplyScalar(-0.5);
    pivot.add(scene);
    skinColors = [mesh.material]
      .flat()
      .flatMap((material) =>
        material instanceof MeshStandardMaterial ? [{ material, color: material.color.clone() }] : [],
      );
  },
  render: (job) => {
    const half = Math.tan((job.diagonalFovDeg * Math.PI) / 360);
    const share = FRAME.heightPx / Math.hypot(FRAME.widthPx, FRAME.heightPx);
    camera.fov = (Math.atan(half * share) * 360) / Math.PI;
    camera.updateProjectionMatrix();
    const light = LIGHTING[job.light];
    const mirror = job.lightFrom === 'left' ? 1 : -1;
    ambient.intensity = light.ambient * job.exposure;
    key.intensity = light.key * job.exposure;
    key.target.position.set(...job.place);
    key.position
      .set(light.from[0] * mirror, light.from[1], light.from[2])
      .setLength(LIGHT_M)
      .add(key.target.position);
    world.background = new Color(0x8a8f94).multiplyScalar(job.exposure);
    for (const { material, color } of skinColors) material.color.copy(color).multiplyScalar(job.skin);
    glasses.visible = job.glasses;
    shapeHead(job);
    poseFace(job);
    const r = job.rotation;
    pivot.position.set(...job.place);
    pivot.quaternion.setFromRotationMatrix(
      new Matrix4(r[0], r[1], r[2], 0, r[3], r[4], r[5], 0, r[6], r[7], r[8], 0, 0, 0, 0, 1),
    );
    renderer.render(world, camera);
    sketch?.drawImage(renderer.domElement, 0, 0);
    addNoise(job);
    return canvas.toDataURL('image/jpeg', JPEG_QUALITY).split(',')[1] ?? '';
  },
};
