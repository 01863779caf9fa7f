import { RequestFailed } from '#gateway/client/request-failed.ts'
import type { ClientError } from '#shared/contracts/client.ts'
import { WaggleError, coerceError, publicError } from '#shared/errors/waggle-error.ts'
import { ExitCode } from './exit-code.ts'

/** What went wrong, what to do about it, and how to say so to a script. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode
  readonly code: string
  readonly action: string

  constructor(exitCode: ExitCode, message: string, action: string, code = '') {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.action = action
  }
}

export function usage(message: string, action = 'See --help.'): CliError {
  return new CliError(ExitCode.usage, message, action)
}

export function asCliError(thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown
  if (thrown instanceof RequestFailed) return fromClientError(thrown.error)
  if (thrown instanceof WaggleError) return fromClientError(publicError(thrown))
  return new CliError(ExitCode.failed, coerceError(thrown).message, 'Run `waggle doctor`.')
}

export function fromClientError({ code, message, action, details }: ClientError): CliError {
  return new CliError(exitCodeOf(code), `${message}${whoIn(details)}`, action, code)
}

/** Somebody else was quicker: the details of such a refusal say who. */
function whoIn({ by, decision, state }: ClientError['details']): string {
  if (typeof by !== 'string' || by === '') return ''
  const what = [decision, state].find((word) => typeof word === 'string')
  return ` (${by}${what === undefined ? '' : `: ${String(what)}`})`
}

/** The exit code that stands for a coded error of the gateway. */
export function exitCodeOf(code: string): ExitCode {
  switch (code) {
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
    case 'TENANT_DISABLED':
      return ExitCode.notAllowed
    case 'UNREACHABLE':
      return ExitCode.noGateway
    case 'BAD_INPUT':
    case 'TOO_LARGE':
      return ExitCode.usage
    case 'BLOCKED':
    case 'NO_AGENT':
      return ExitCode.refused
    case 'DEADLINE':
      return ExitCode.tooLate
    default:
      return ExitCode.failed
  }
}
