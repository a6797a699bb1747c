/** Tells whoever waits for it that nothing is left. */
export class Emptying {
  #waiting: (() => void)[] = [];

  /** Resolves at once where nothing is left, else with the next note of 0. */
  when(left: number): Promise<void> {
    if (left === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  note(left: number): void {
    if (left > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
