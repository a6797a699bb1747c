/**
 * Keeps the resume token over page loads of one tab, so that the next lesson section goes on with
 * the session. Storage that the browser refuses is no reason to fail: the session then starts anew.
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
      // Blocked: nothing was kept either.
    }
  }
}
