import { CVEyeTrackingSystem } from './eyelearn/cv-eye-tracking-system.ts';
import { lessonOfAddress } from './eyelearn/lesson-address.ts';
import { LessonPage } from './eyelearn/lesson-page.ts';

declare global {
  interface Window {
    CVEyeTrackingSystem: typeof CVEyeTrackingSystem;
    cvEyeTracker?: CVEyeTrackingSystem;
    eyeTracker?: CVEyeTrackingSystem;
    stopEyeTrackingService: () => Promise<void>;
    isEyeTrackingActive: () => boolean;
  }
}

// Served as js/cv-eye-tracking.js and js/cv-eye-tracking-client.js. Like the scripts it replaces it starts by itself.
window.CVEyeTrackingSystem = CVEyeTrackingSystem;
window.stopEyeTrackingService = async () => LessonPage.current?.tracker.release();
window.isEyeTrackingActive = () => LessonPage.current?.tracker.client?.isCapturing ?? false;

const page = LessonPage.open();
page.startByItself({ speaksUp: false });
document.addEventListener('DOMContentLoaded', () => {
  const lesson = lessonOfAddress(location.href);
  window.cvEyeTracker ??= new CVEyeTrackingSystem(lesson?.moduleId ?? null, lesson?.sectionId ?? null);
});
