import { useEffect, useRef, useState } from 'react'
import type { Conversation } from '#gateway/client/conversation.ts'

const ANNOUNCED_CHARS = 600

/**
 * What a screen reader hears: each answer once, when it is whole; never the single deltas. What was there when the
 * conversation was opened is not announced.
 */
export function Announcer({ conversation }: { readonly conversation: Conversation }) {
  const [said, setSaid] = useState('')
  const known = useRef<Set<string> | null>(null)
  useEffect(() => {
    known.current = null
    const look = (): void => {
      const { phase, state } = conversation.getSnapshot()
      if (phase === 'opening') return
      const whole = state.messages.filter((message) => message.role !== 'user' && message.status === 'complete')
      const fresh = known.current === null ? [] : whole.filter((message) => !known.current?.has(message.id))
      known.current = new Set(whole.map((message) => message.id))
      if (fresh.length > 0)
        setSaid(fresh.map(({ title, text }) => `${title}: ${text.slice(0, ANNOUNCED_CHARS)}`).join(' '))
    }
    look()
    return conversation.subscribe(look)
  }, [conversation])
  return (
    <div className="hidden" role="status" aria-live="polite">
      {said}
    </div>
  )
}
