/**
 * Stores the resume token over page loads of one tab, so that the next lesson section resumes the session. If the
 * browser refuses storage, nothing fails: a new session starts.
 */
export class ResumeMemory {
  readonly #key: string;

  constructor(httpOrigin: string, userId: number | string, moduleId: number | string) {
    this.#key = `gaze-relay:${httpOrigin}:${userId}:${moduleId}`;
  }

  read(): string | null {
    try {
      return sessionStorage.getItem(this.#key);
    } catch {
      return null;
    }
  }

  write(token: string): void {
    try {
      sessionStorage.setItem(this.#key, token);
    } catch {
      // Blocked or full: see above.
    }
  }

  clear(): void {
    try {
      sessionStorage.removeItem(this.#key);
    } catch {
      // Blocked: nothing was stored either.
    }
  }
}
