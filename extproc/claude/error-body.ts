/** Writes error bodies in the envelope that every Claude client reads. */

/** The error types that the API's clients know. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'rate_limit_error'
  | 'timeout_error'
  | 'api_error'
  | 'overloaded_error';

/** `errorCode` becomes `details.error_code`: `dlp_request_denied` tells Claude Code not to send the request again. */
export function errorEnvelope(error: {
  type: ErrorType;
  message: string;
  errorCode?: string;
  requestId: string;
}): string {
  const details = error.errorCode === undefined ? {} : { details: { error_code: error.errorCode } };
  return JSON.stringify({
    type: 'error',
    error: { type: error.type, message: error.message, ...details },
    request_id: error.requestId,
  });
}
