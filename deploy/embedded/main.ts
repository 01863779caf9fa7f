import pc from 'picocolors'
import { coded } from '#shared/errors/waggle-error.ts'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import { HELP, readOptions } from './options.ts'
import { Progress } from './progress.ts'
import { startStack } from './stack.ts'

const progress = new Progress()
try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    progress.line(HELP)
    process.exit(0)
  }
  const stack = await startStack(options, process.env, progress)
  progress.line('')
  progress.line(
    `${pc.bold('Waggle is up')} after ${progress.seconds} s: ${pc.cyan(`${stack.url}/#token=${stack.token}`)}`,
  )
  progress.line(`demo token: ${stack.token}`)
  progress.line('')
  progress.line('Three things to try, in another terminal:')
  progress.line(`  ${pc.cyan('npx waggle ask "Where is my order 1042?"')}`)
  progress.line(`  ${pc.cyan('npx waggle ask "What is your refund policy?"')}`)
  progress.line(`  ${pc.cyan('npx waggle watch')}`)
  let leaving = false
  const leave = (code: number): void => {
    if (leaving) process.exit(1)
    leaving = true
    progress.line('leaving: what is under way may finish (Ctrl-C again ends at once)')
    stack.stop().then(
      () => process.exit(code),
      (error: unknown) => {
        progress.line(`leaving failed: ${coded(error).message}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', () => leave(0))
  process.on('SIGTERM', () => leave(0))
  void stack.broken.then((reason) => {
    progress.line(pc.red(`${reason}; nothing goes on without it`))
    leave(1)
  })
} catch (error) {
  const failure = coded(error)
  progress.line(`${pc.red(failure.code)} ${failure.message}`)
  progress.line(`  ${CATALOGUE[failure.code].action}`)
  process.exit(1)
}
