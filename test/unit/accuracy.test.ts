import { describe, expect, it } from 'vitest';
import { directionOfWord, parseLabels } from '../../scripts/accuracy/labels.ts';
import { type Judged, scoreOf } from '../../scripts/accuracy/score.ts';

const row = (expected: Judged['expected'], said: Judged['said'], focused = expected[0] === 'centered'): Judged => ({
  subject: 's',
  expected,
  focused,
  said,
  faceFound: true,
});

describe('labels', () => {
  it('are directions, their short forms, or alternatives of them', () => {
    expect(['left', 'Looking Right', 'eyes-closed', 'straight', 'turned', 'gaze_up'].map(directionOfWord)).toEqual([
      'looking_left',
      'looking_right',
      'eyes_closed',
      'centered',
      'face_turned',
      'looking_up',
    ]);
    expect(directionOfWord('banana')).toBeNull();
    const { rows, faults } = parseLabels(
      'path,expect,focus,subject\n"a,1.jpg",left|turned,unfocused,p\nb.jpg,what,,p\n',
    );
    expect(rows).toEqual([
      { path: 'a,1.jpg', expected: ['looking_left', 'face_turned'], focused: false, subject: 'p' },
    ]);
    expect(faults).toHaveLength(1);
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
