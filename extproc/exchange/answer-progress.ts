type Progress = { bytes: number; ended: boolean };

/**
 * How much of an answer's body was recorded, and how much of it was let through to the caller: all of it, but for the
 * chunk that is under way when something fails.
 */
export class AnswerProgress {
  #recordedBytes = 0;
  #through: Progress = { bytes: 0, ended: false };
  #before: Progress = this.#through;

  recorded(bytes: number): void {
    this.#recordedBytes += bytes;
  }

  /** All that was recorded goes on to the caller; `ended` when that completes the answer for its reader. */
  letThrough(ended: boolean): void {
    this.#before = this.#through;
    this.#through = { bytes: this.#recordedBytes, ended };
  }

  /** The last that was let through found nobody to take it any more. */
  takeBack(): void {
    this.#through = this.#before;
  }

  get endLetThrough(): boolean {
    return this.#through.ended;
  }

  /** Bytes at the end of what was recorded that the caller was not given. */
  get unansweredBytes(): number {
    return this.#recordedBytes - this.#through.bytes;
  }
}
