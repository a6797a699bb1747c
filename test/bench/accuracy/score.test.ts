import { describe, expect, it } from 'vitest';
import { directionsOfWord, parseLabels } from '../../../bench/accuracy/labels.ts';
import { type Judged, scoreOf } from '../../../bench/accuracy/score.ts';
import { makeGrid } from '../../../bench/accuracy/synthetic/grid.ts';
import { trueGazeOf } from '../../../bench/accuracy/synthetic/measure.ts';
import { renderJobOf } from '../../../bench/accuracy/synthetic/render.ts';

const row = (expected: Judged['expected'], said: Judged['said'], focused = expected[0] === 'centered'): Judged => ({
  subject: 's',
  expected,
  focused,
  said,
  faceFound: true,
});

describe('labels', () => {
  it('are directions, their short forms, diagonals, or away', () => {
    const words = ['left', 'Looking Right', 'eyes-closed', 'straight', 'turned', 'gaze_up', 'downwards', ' Center '];
    expect(words.flatMap(directionsOfWord)).toEqual([
      'looking_left',
      'looking_right',
      'eyes_closed',
      'centered',
      'face_turned',
      'looking_up',
      'looking_down',
      'centered',
    ]);
    expect(directionsOfWord('down-left')).toEqual(['looking_down', 'looking_left']);
    expect(directionsOfWord('away')).toContain('face_turned');
    for (const word of ['banana', 'unknown', 'left right', '']) expect(directionsOfWord(word)).toEqual([]);
  });

  it('are rows of a CSV, with alternatives, quotes and columns in any order', () => {
    const { rows, faults } = parseLabels(
      'path,expect,focus,subject\n"a,1.jpg",left|turned,unfocused,p\nb.jpg,what,,p\n',
    );
    expect(rows).toEqual([
      { path: 'a,1.jpg', expected: ['looking_left', 'face_turned'], focused: false, subject: 'p', group: null },
    ]);
    expect(faults).toEqual(['row 2 (b.jpg): left out: no label that is known (what)']);
    const other = parseLabels('\uFEFFsubject;Focus;path;expect\r\np;1;sub\\c.png;center\r\n\r\n;;d.png;"closed"\r\n');
    expect(other.faults).toEqual([]);
    expect(other.rows).toEqual([
      { path: 'sub/c.png', expected: ['centered'], focused: true, subject: 'p', group: null },
      { path: 'd.png', expected: ['eyes_closed'], focused: false, subject: 'all', group: null },
    ]);
  });

  it('take what they know of a row and say the rest', () => {
    const { rows, faults } = parseLabels('file,expect,focus\na.jpg,left|sideways,maybe\nb.jpg,,true\n,left,\n');
    expect(rows.map(({ expected, focused }) => ({ expected, focused }))).toEqual([
      { expected: ['looking_left'], focused: false },
      { expected: [], focused: true },
    ]);
    expect(faults.join('\n')).toMatch(/sideways.*\n.*maybe.*\n.*names no picture/);
  });

  it('leave the focus open where the alternatives are of both kinds', () => {
    const focuses = ['center', 'left|closed', 'center|left'].map(
      (expect) => parseLabels(`path,expect\na.jpg,${expect}\n`).rows[0]?.focused,
    );
    expect(focuses).toEqual([true, false, null]);
    for (const [word, focused] of [
      ['Focused', true],
      ['0', false],
      ['FALSE', false],
      ['yes', true],
    ] as const)
      expect(parseLabels(`path,expect,focus\na.jpg,left,${word}\n`).rows[0]?.focused).toBe(focused);
  });

  it('need their columns', () => {
    expect(() => parseLabels('name,mood\na,b\n')).toThrow(/columns/);
  });

  it('take the CMU faces’ head directions on the image’s sides', () => {
    const { rows } = parseLabels(
      'file,label,focus,gaze_img,head_img,eyes,subject\nx.png,t,unfocused,right,right,open,p\n',
    );
    expect(rows[0]?.expected).toEqual(['looking_right', 'face_turned']);
  });
});

describe('scores', () => {
  it('count any alternative as right and unknown as neither focused nor unfocused', () => {
    const score = scoreOf([
      row(['centered'], 'centered'),
      row(['centered'], 'unknown'),
      row(['looking_left', 'face_turned'], 'face_turned'),
      row(['looking_left'], 'unknown'),
      row(['eyes_closed'], 'eyes_closed'),
      row(['looking_up'], 'eyes_closed'),
    ]);
    expect(score.focus).toEqual({ balancedAccuracy: 0.625, recallFocused: 0.5, recallUnfocused: 0.75 });
    expect(score.states.recall).toEqual({ centered: 0.5, looking_left: 0.5, eyes_closed: 1, looking_up: 0 });
    expect(score.states.macroRecall).toBe(0.5);
    expect(score.closed).toEqual({ recall: 1, falseAlarm: 0.2 });
  });

  it('are null where nothing was there to be scored', () => {
    const score = scoreOf([row(['centered'], 'centered')]);
    expect(score.focus.balancedAccuracy).toBeNull();
    expect(score.closed).toEqual({ recall: null, falseAlarm: 0 });
  });
});

describe('the rendered grid', () => {
  it('is the same for the same seed and another for another', () => {
    expect(makeGrid(1)).toEqual(makeGrid(1));
    expect(makeGrid(2)).not.toEqual(makeGrid(1));
  });

  it('has heads that face the camera from wherever they are in the frame, and gazes that add head and eyes', () => {
    const frame = makeGrid(1).find(({ set }) => set === 'edge');
    if (frame === undefined) throw new Error('the grid has faces at the edge');
    const scene = { ...frame.scene, headYawDeg: 0, headPitchDeg: 0, headRollDeg: 0, eyeYawDeg: 0, eyePitchDeg: 0 };
    const { place, rotation } = renderJobOf(scene);
    const forward = [rotation[2], rotation[5], rotation[8]];
    const distance = Math.hypot(...place);
    for (const [i, value] of place.entries()) expect(forward[i]).toBeCloseTo(-value / distance, 9);
    const turned = trueGazeOf({ ...scene, headYawDeg: 20, eyeYawDeg: -15 });
    expect(turned.yawDeg).toBeCloseTo(5, 9);
    expect(trueGazeOf({ ...scene, headPitchDeg: -10, eyePitchDeg: -5 }).pitchDeg).toBeCloseTo(-15, 9);
  });

  it('calls the looks it labels what they are', () => {
    for (const { set, scene, expected } of makeGrid(3)) {
      if (set !== 'states') continue;
      const { yawDeg, pitchDeg } = trueGazeOf(scene);
      if (expected?.[0] === 'looking_left') expect(yawDeg).toBeLessThan(-15);
      if (expected?.[0] === 'looking_right') expect(yawDeg).toBeGreaterThan(15);
      if (expected?.[0] === 'looking_up') expect(pitchDeg).toBeGreaterThan(10);
      if (expected?.[0] === 'looking_down') expect(pitchDeg).toBeLessThan(-20);
      if (expected?.[0] === 'centered') expect(Math.hypot(yawDeg, pitchDeg + 7)).toBeLessThan(14);
    }
  });
});
