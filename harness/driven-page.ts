/** A page of a browser that is driven by a protocol of the W3C. */
export interface DrivenPage {
  /** Runs a function of the page, with what JSON can carry. Rejects with what it throws. */
  evaluate<Argument, Result>(
    work: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result>;
  /** Resolves once the function is true in the page. */
  until<Argument>(isTrue: (argument: Argument) => boolean, argument: Argument): Promise<void>;
  close(): Promise<void>;
}
