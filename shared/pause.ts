/** Why capture was paused: the tab was in the background, the student or the page paused it, the camera gave no pictures. */
export const PAUSE_REASONS = ['hidden', 'student', 'camera'] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];
