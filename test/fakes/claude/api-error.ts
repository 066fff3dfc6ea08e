/** A refusal as the API would give it, thrown anywhere below the routes and answered there with the envelope. */
export class ApiError extends Error {
  readonly status: number;
  /** For `error.details`, with its `error_code`. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(status: number, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

export function notFound(what: string, errorCode?: string): ApiError {
  return new ApiError(404, `${what} was not found`, errorCode === undefined ? undefined : { error_code: errorCode });
}
