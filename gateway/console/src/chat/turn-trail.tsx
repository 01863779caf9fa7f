import { memo } from 'react'
import type { CheckView, TurnView } from '#gateway/client/conversation-state.ts'
import {
  asWords,
  modelInWords,
  msInWords,
  passedInWords,
  reportInWords,
  routeInWords,
  verdictInWords,
} from '#gateway/client/words.ts'
import { Icon } from '../parts/icon.tsx'
import { ToolCard } from './tool-card.tsx'

interface Props {
  readonly turn: TurnView
  /** Text is being shown: that says more than the name of the step. */
  readonly speaks: boolean
}

/** What was done for an answer: route, steps, checks and tools, in front of the answer itself. */
export const TurnTrail = memo(function TurnTrail({ turn, speaks }: Props) {
  const passed = turn.checks.filter((check) => check.verdict === 'pass')
  const notable = turn.checks.filter((check) => check.verdict !== 'pass')
  const step = turn.outcome === null && !speaks ? turn.steps.at(-1) : undefined
  const before = notable.filter(({ stage }) => stage === 'input' || stage === 'tool_call')
  const after = notable.filter((check) => !before.includes(check))
  return (
    <div className="trail">
      {turn.route === null && passed.length === 0 && turn.steps.length === 0 ? null : (
        <details className="trail-line">
          <summary>
            {turn.route === null ? null : (
              <span className="trail-route">{routeInWords(turn.route, routedTitle(turn))}</span>
            )}
            {passed.length === 0 ? null : <span className="trail-checks">{passedInWords(passed.length)}</span>}
            {turn.ms === null ? null : <span className="trail-ms">{msInWords(turn.ms)}</span>}
          </summary>
          <ul>
            {turn.steps.map((one) => (
              <li key={one.id}>
                <span className="step-name">{one.step}</span> {one.label}
              </li>
            ))}
            {passed.map((check) => (
              <li key={check.id}>
                <span className="step-name">check</span> {verdictInWords(check)}{' '}
                <span className="faint">{msInWords(check.ms)}</span>
              </li>
            ))}
            {turn.run === null ? null : (
              <li>
                <span className="step-name">model</span> {modelInWords(turn.run.model)}
                {turn.run.attempt > 1 ? `, attempt ${turn.run.attempt}` : ''}
                {turn.run.usage === null ? '' : `, ${turn.run.usage.inputTokens + turn.run.usage.outputTokens} tokens`}
              </li>
            )}
          </ul>
        </details>
      )}
      <Verdicts checks={before} />
      {turn.tools.map((tool) => (
        <ToolCard key={tool.callId} tool={tool} />
      ))}
      <Verdicts checks={after} />
      {step === undefined ? null : (
        <p className="step-now">
          <span className="working" aria-hidden="true" />
          {step.label === '' ? asWords(step.step) : step.label}
        </p>
      )}
    </div>
  )
})

/** What a guardrail changed or stopped, where it happened. */
function Verdicts({ checks }: { readonly checks: readonly CheckView[] }) {
  return checks.map((check) => (
    <p key={check.id} className="verdict" data-verdict={check.verdict}>
      <Icon name="shield" />
      {verdictInWords(check)}.
    </p>
  ))
}

/** How a turn ended, where that is not said by an answer. */
export const TurnEnd = memo(function TurnEnd({ turn }: { readonly turn: TurnView }) {
  const report = turn.report === null ? '' : reportInWords(turn.report)
  return (
    <>
      {turn.offered === null ? null : (
        <p className="notice" data-tone="person">
          <Icon name="person" />
          <span>A person was offered: {turn.offered}</span>
        </p>
      )}
      {turn.outcome === 'stopped' ? (
        <p className="notice" data-tone="calm">
          <Icon name="stop" />
          <span>Stopped{report === '' ? '' : ` — ${report}`}</span>
        </p>
      ) : null}
      {turn.error === null ? null : (
        <p className="notice" data-tone="error">
          <Icon name="warning" />
          <span>
            {turn.error.message} <span className="faint">{turn.error.action}</span> <code>{turn.error.code}</code>
          </span>
        </p>
      )}
    </>
  )
})

function routedTitle(turn: TurnView): string | undefined {
  return turn.route !== null && turn.route.agent === turn.agent ? turn.title : undefined
}
