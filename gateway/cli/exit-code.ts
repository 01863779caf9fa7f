/** What the command tells a script. Documented in `waggle --help`. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  noGateway: 3,
  notAllowed: 4,
  refused: 5,
  stopped: 6,
  tooLate: 7,
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export const EXIT_CODES_HELP = `
Exit codes:
  0    answered, or handed to a person
  1    the turn failed, or something unexpected happened
  2    the command was not understood
  3    no gateway answers
  4    the token is missing, expired, or its role does not allow it
  5    refused: by a guardrail, or because no agent fits
  6    somebody stopped it
  7    no answer in time
  130  interrupted by Ctrl-C
`
