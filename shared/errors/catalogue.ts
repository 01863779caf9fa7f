/**
 * The one list of every error this system can say. A code is never renamed or reused; `ERRORS.md` is generated
 * from this file and a test compares the two in both directions.
 *
 * - `message`   what happened, in one sentence; details are added by the thrower
 * - `audience`  who may read the message: `pub` a customer, `ops` an operator of the tenant, `sys` the platform's engineers
 * - `status`    the HTTP status that carries it
 * - `retryable` whether sending the very same thing again can succeed
 * - `action`    what the reader should do
 */
export interface ErrorEntry {
  readonly message: string
  readonly audience: 'pub' | 'ops' | 'sys'
  readonly status: number
  readonly retryable: boolean
  readonly action: string
}

export const CATALOGUE = {
  // Input at any border
  BAD_INPUT: entry('The input does not fit its schema.', 'pub', 400, false, 'Correct the fields named in the details.'),
  TOO_LARGE: entry('The payload is larger than the limit.', 'pub', 413, false, 'Send less, or by reference.'),
  NOT_FOUND: entry('There is no such thing in this tenant.', 'pub', 404, false, 'Check the id.'),
  CONFLICT: entry('The thing was changed by somebody else meanwhile.', 'pub', 409, true, 'Read it again, then repeat.'),
  ID_REUSED: entry('This id was used before with another body.', 'pub', 409, false, 'Use a new id for a new message.'),
  RATE_LIMITED: entry('Too many requests.', 'pub', 429, true, 'Wait for the time given in retryAfterMs.'),

  // Who is asking
  UNAUTHENTICATED: entry(
    'No valid token or API key was given.',
    'pub',
    401,
    false,
    'Send a token that has not expired.',
  ),
  FORBIDDEN: entry(
    'The role of this principal does not allow it.',
    'pub',
    403,
    false,
    'Ask an administrator for the role.',
  ),
  TENANT_MISSING: entry('A query was made without a tenant.', 'sys', 500, false, 'Open a tenant transaction first.'),
  TENANT_DISABLED: entry('This tenant is disabled.', 'pub', 403, false, 'Ask the administrator of the tenant.'),

  // The wire
  BAD_NAME: entry(
    'A name holds characters or a form that is not allowed.',
    'pub',
    400,
    false,
    'Use a-z, 0-9 and single dashes.',
  ),
  KEY_TOO_LONG: entry('A key is longer than 120 characters.', 'pub', 400, false, 'Use a shorter key.'),
  BAD_SUBJECT: entry(
    'A subject does not follow the grammar.',
    'sys',
    400,
    false,
    'Build subjects with shared/wire/subjects.ts.',
  ),
  UNDECODABLE: entry('A message could not be decoded.', 'sys', 400, false, 'See the dead letter; it holds the bytes.'),
  WIRE_VERSION: entry('A message has a wire version unknown here.', 'sys', 400, false, 'Upgrade this process.'),

  // The runtime
  DEADLINE: entry(
    'There was no answer before the deadline.',
    'pub',
    504,
    true,
    'Try again; the outcome of the first try is not known.',
  ),
  CANCELLED: entry('It was cancelled.', 'pub', 499, false, 'Nothing; somebody asked for it.'),
  UNREACHABLE: entry(
    'Nobody serves this kind of actor at the moment.',
    'pub',
    503,
    true,
    'Start the role that hosts it, or try again.',
  ),
  OVERLOADED: entry('The system is full.', 'pub', 503, true, 'Try again later.'),
  MAILBOX_FULL: entry('The mailbox of this actor is full.', 'pub', 503, true, 'Try again when it has caught up.'),
  TENANT_BUSY: entry('This tenant has too many commands waiting.', 'pub', 429, true, 'Try again when some are done.'),
  LOG_QUOTA: entry(
    'This tenant has written its share of the log for this hour.',
    'pub',
    429,
    true,
    'Wait for the time given in retryAfterMs; what was accepted before goes on.',
  ),
  TOO_OLD: entry(
    'The command is older than the processed ids are kept.',
    'ops',
    410,
    false,
    'Send it again with a new id.',
  ),
  EXPIRED: entry(
    'The command passed its expiry before it was handled.',
    'ops',
    410,
    false,
    'Send it again if it is still wanted.',
  ),
  STALE_EPOCH: entry('Another activation has taken over.', 'sys', 409, true, 'Nothing; the new holder goes on.'),
  CALLS_ANCESTOR: entry(
    'An actor asked one of those who wait for its answer.',
    'sys',
    508,
    false,
    'Use tell, or answer first.',
  ),
  TOO_MANY_HOPS: entry(
    'A message travelled through too many actors.',
    'sys',
    508,
    false,
    'Look for a loop in the chain.',
  ),
  AWAIT_IN_TRANSACTION: entry(
    'A handler awaited something that is not SQL.',
    'sys',
    500,
    false,
    'Spawn a child run for long work.',
  ),
  UNKNOWN_MESSAGE: entry('The actor does not know this message.', 'sys', 400, false, 'Use the contract of the actor.'),
  UNKNOWN_KIND: entry('No contract of this kind is known.', 'sys', 400, false, 'Add the contract.'),
  PARTITIONS_DIFFER: entry(
    'The partition count of a kind differs from the one in the database.',
    'sys',
    500,
    false,
    'Deploy the same version everywhere.',
  ),
  UNDELIVERED: entry(
    'A message was delivered many times and never acknowledged.',
    'ops',
    500,
    false,
    'Look at the bridge that reads this channel, then replay the dead letter.',
  ),
  CRASHED: entry('The handler failed.', 'ops', 500, false, 'See the dead letter or the log.'),
  GAVE_UP: entry('It failed too often and was given up.', 'ops', 500, false, 'See its dead letter, then replay it.'),
  LEAVING: entry('This process is shutting down.', 'sys', 503, true, 'Try again; another process takes over.'),

  // Turns
  BUSY: entry('The conversation is busy with another turn.', 'pub', 409, true, 'Wait until the turn ends, or stop it.'),
  AGENT_SILENT: entry(
    'The agent did not say how its turn ended.',
    'pub',
    504,
    true,
    'Send the message again; look at the dead letters.',
  ),
  PENDING: entry(
    'The message was sent, its acceptance is not confirmed yet.',
    'pub',
    202,
    true,
    'Send the same message with the same id again.',
  ),
  CONTROL_TAKEN: entry(
    'A person has the voice of this conversation.',
    'ops',
    409,
    false,
    'Ask the owner named in the details to hand it over.',
  ),
  NO_OFFER: entry(
    'This conversation is not offered to you.',
    'ops',
    409,
    false,
    'See who it is offered to; the offer may be over.',
  ),
  STALE_CONTROL: entry(
    'Somebody else has the voice of this conversation now.',
    'pub',
    409,
    false,
    'Take over the conversation first.',
  ),
  NO_AGENT: entry('No agent of this tenant fits.', 'pub', 422, false, 'Ask for a human.'),
  BLOCKED: entry('A guardrail refused it.', 'pub', 422, false, 'Rephrase without what the guardrail named.'),
  STEP_LIMIT: entry(
    'The run reached its step limit.',
    'pub',
    422,
    false,
    'Ask for less at once, or raise the limit of the agent.',
  ),
  BUDGET_SPENT: entry(
    'What this turn may spend is spent.',
    'pub',
    402,
    false,
    'Ask for less at once, or have the limit raised.',
  ),
  LOOP_CUT: entry(
    'The work went in circles and was ended.',
    'pub',
    508,
    false,
    'Ask in another way, or ask for a person.',
  ),
  OUTPUT_INVALID: entry(
    'The answer did not fit the output schema of the agent.',
    'ops',
    502,
    true,
    'Check the schema and the prompt of the agent.',
  ),

  // Review items (`pub`, for the edge passes on nothing else; who is no operator hears FORBIDDEN before)
  REVIEW_DECIDED: entry(
    'Somebody has decided this review item before.',
    'pub',
    409,
    false,
    'Nothing; the details say who decided, when and what.',
  ),
  REVIEW_CHANGED: entry(
    'The decision is about another version of this review item.',
    'pub',
    409,
    false,
    'Read the item again, then decide with its nonce and args hash.',
  ),
  REVIEW_CLAIMED: entry(
    'Somebody else works on this review item.',
    'pub',
    409,
    true,
    'Ask them to give it back, or wait until their claim lapses.',
  ),
  REVIEW_NO_COLLECTION: entry(
    'The agent answers from no collection that is there, so that no answer can be kept for its questions.',
    'pub',
    409,
    false,
    'Give the agent a collection, or decide without keeping the answer.',
  ),

  // Tools and guardrails
  TOOL_DENIED: entry(
    'Policy does not allow this tool call.',
    'ops',
    403,
    false,
    'Change the policy of the tenant or the agent.',
  ),
  TOOL_FAILED: entry('The tool answered with an error.', 'ops', 502, true, 'See the details for its answer.'),
  TOOL_ARGS: entry('The arguments do not fit the schema of the tool.', 'ops', 400, false, 'Correct the arguments.'),
  ADDRESS_REFUSED: entry(
    'The address of an outgoing request is not allowed.',
    'ops',
    403,
    false,
    'Use a public address, or allow it in the configuration.',
  ),
  GUARD_SILENT: entry(
    'A guardrail did not answer in time, which counts as a refusal.',
    'ops',
    503,
    true,
    'Try again; look at the guardrails role.',
  ),

  // Models
  MODEL_AUTH: entry(
    'The model provider refused the credentials.',
    'ops',
    502,
    false,
    'Check the API key of the tenant.',
  ),
  MODEL_BUSY: entry('The model provider is rate limiting.', 'ops', 503, true, 'Wait for retryAfterMs.'),
  MODEL_DOWN: entry('The model provider failed.', 'ops', 502, true, 'Try again, or configure a fallback.'),
  MODEL_CUT: entry('The model stream ended in the middle.', 'ops', 502, true, 'Try again.'),
  MODEL_MALFORMED: entry(
    'The model provider sent something unreadable.',
    'ops',
    502,
    true,
    'Try again; look at the base URL.',
  ),
  MODEL_REFUSED: entry('The model provider refused the request.', 'ops', 422, false, 'See the details for its reason.'),

  // Vectors
  WRONG_VECTOR: entry(
    'A vector does not fit its index.',
    'ops',
    422,
    false,
    'Embed the collection again with the model that is configured, or configure the one it was embedded with.',
  ),

  // Documents (`pub`: whoever uploads one reads why it was refused)
  DOCUMENT_TYPE: entry(
    'The document is of a type that is not read, or not of the type it is said to be.',
    'pub',
    415,
    false,
    'Send a PDF, Office document, web page, text, table, e-mail, JSON, picture or video under its own type.',
  ),
  DOCUMENT_TOO_LARGE: entry(
    'The document exceeds a limit of size.',
    'pub',
    413,
    false,
    'Divide it, or ask the administrator of the platform for more.',
  ),
  DOCUMENT_UNREADABLE: entry(
    'The document is damaged, protected, or not what its format allows.',
    'pub',
    422,
    false,
    'Save it again with the program that made it, without a password.',
  ),
  DOCUMENT_TOO_SLOW: entry(
    'Reading the document took longer than it may.',
    'pub',
    422,
    false,
    'Divide it, or save it again with the program that made it.',
  ),
  MEDIA_TOOL_MISSING: entry(
    'Videos are not read here, because ffmpeg is not installed.',
    'pub',
    501,
    false,
    'Ask the administrator of the platform to install ffmpeg, or send the subtitles as a text.',
  ),

  // Parts and configuration
  CONFIG: entry(
    'The configuration is contradictory or incomplete.',
    'sys',
    500,
    false,
    'Correct the variables named in the details.',
  ),
  ALREADY_RUNNING: entry(
    'Waggle runs already with this state folder.',
    'sys',
    409,
    false,
    'Use that one or end it, or set WAGGLE_STATE to another folder.',
  ),
  NATS_MISSING: entry(
    'No nats-server could be found.',
    'sys',
    500,
    false,
    'Set NATS_URL, put nats-server on PATH, or allow the download.',
  ),
  DATABASE_DOWN: entry('The database does not answer.', 'sys', 503, true, 'Check DATABASE_URL and the server.'),
  VECTORS_DOWN: entry('The vector store does not answer.', 'sys', 503, true, 'Check QDRANT_URL and the server.'),
  BROKER_DOWN: entry('The message broker does not answer.', 'sys', 503, true, 'Check NATS_URL and the server.'),
  DECRYPT: entry('A stored secret cannot be decrypted.', 'sys', 500, false, 'Set the key it was encrypted with.'),
  INTERNAL: entry('Something unexpected went wrong.', 'pub', 500, true, 'Try again; if it stays, report the trace id.'),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof CATALOGUE

function entry(
  message: string,
  audience: ErrorEntry['audience'],
  status: number,
  retryable: boolean,
  action: string,
): ErrorEntry {
  return { message, audience, status, retryable, action }
}
