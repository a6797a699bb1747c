import type { Calibrated } from '../../shared/protocol/calibration.ts';
import type { CalibrationChannel } from './channel.ts';
import { pointsInWindow, sharesOfScreen, type WindowPlace } from './geometry.ts';
import { type CalibrationResult, UNAVAILABLE } from './result.ts';
import { INTRO, type SequenceEvent, type SequenceState, stepSequence } from './sequence.ts';
import { CalibrationView } from './view.ts';

/** A browser's bars that come and go change the window by less than this share; more is another window. */
const RESIZE_SHARE = 0.15;

function windowPlace(): WindowPlace {
  const { availLeft = 0, availTop = 0 } = screen as Screen & { availLeft?: number; availTop?: number };
  return {
    screenXPx: window.screenX,
    screenYPx: window.screenY,
    outerWidthPx: window.outerWidth,
    outerHeightPx: window.outerHeight,
    innerWidthPx: window.innerWidth,
    innerHeightPx: window.innerHeight,
    screenWidthPx: screen.width,
    screenHeightPx: screen.height,
    screenLeftPx: availLeft,
    screenTopPx: availTop,
  };
}

/** The end of a run in words for the page; `applied` is the last calibration of it that is in use. */
function resultOf({ step }: SequenceState, applied: Calibrated | null): CalibrationResult {
  if (applied !== null) {
    const { yawErrorDeg, pitchErrorDeg, kept } = applied;
    return { outcome: 'calibrated', yawErrorDeg, pitchErrorDeg, kept };
  }
  if (step.name !== 'result') return { ...UNAVAILABLE, outcome: 'skipped' };
  if (step.answer === null) return { ...UNAVAILABLE, outcome: 'interrupted' };
  if (step.answer.type === 'calibration_refused') return { ...UNAVAILABLE, outcome: 'refused' };
  const { yawErrorDeg, pitchErrorDeg } = step.answer;
  return { outcome: 'inexact', yawErrorDeg, pitchErrorDeg, kept: false };
}

/** Shows the overlay and goes through the dots with the student. Resolves when they leave it, never rejects. */
export function calibrate(channel: CalibrationChannel): Promise<CalibrationResult> {
  return new Promise((resolve) => {
    let state = INTRO;
    let applied: Calibrated | null = null;
    const view = new CalibrationView({
      begin: () => {
        const { canTurn } = channel;
        dispatch({ type: 'begin', nowMs: performance.now(), clockMs: channel.clockMs(), canTurn });
      },
      leaveOut: () => dispatch({ type: 'leave_out', nowMs: performance.now() }),
      leave: () => dispatch({ type: 'leave' }),
    });
    const unlisten = channel.listen({
      onAnswer: (answer) => {
        if (answer.type === 'calibrated' && answer.applied) applied = answer;
        dispatch({ type: 'answer', answer });
      },
      onProcessed: (captureMs) => dispatch({ type: 'processed', captureMs }),
      onInterrupted: () => dispatch({ type: 'interrupted' }),
    });
    view.open();
    let opened = view.size;
    let points = pointsInWindow(opened.widthPx, opened.heightPx);
    const resized = () => {
      const { widthPx, heightPx } = view.size;
      const change = Math.max(Math.abs(widthPx / opened.widthPx - 1), Math.abs(heightPx / opened.heightPx - 1));
      if (change > RESIZE_SHARE) dispatch({ type: 'interrupted' });
    };
    window.addEventListener('resize', resized);
    let frame = 0;
    const animate = () => {
      dispatch({ type: 'tick', nowMs: performance.now(), clockMs: channel.clockMs() });
      if (state.step.name !== 'ended') frame = requestAnimationFrame(animate);
    };
    const dispatch = (event: SequenceEvent): void => {
      if (event.type === 'begin') {
        opened = view.size;
        points = pointsInWindow(opened.widthPx, opened.heightPx);
      }
      const before = state;
      const step = stepSequence(state, event, sharesOfScreen(points, windowPlace()));
      state = step.state;
      view.show(state.step, points);
      for (const effect of step.effects) {
        if (effect.type === 'send') {
          if (!channel.send(effect.request) && effect.request.type !== 'calibrate_abort')
            dispatch({ type: 'interrupted' });
          continue;
        }
        cancelAnimationFrame(frame);
        window.removeEventListener('resize', resized);
        unlisten();
        view.close();
        resolve(resultOf(before, applied));
      }
    };
    view.show(state.step, points);
    animate();
  });
}
