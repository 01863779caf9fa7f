import { useEffect, useState } from 'react'
import type { Conversation } from '#gateway/client/conversation.ts'
import { Cell } from '../parts/cell.tsx'
import { Mark } from '../parts/mark.tsx'
import { fetchAgents } from './fetch-agents.ts'
import type { AgentCard } from './fetch-agents.ts'

/** Things to try with the tools the demo tenant has; shown only where an agent has the tool. */
const TRY = [
  { tool: 'lookup_order_status', text: 'Where is my order 1042?' },
  { tool: 'escalate_to_human', text: 'I want to talk to a person' },
] as const

export function EmptyChat({ conversation, token }: { readonly conversation: Conversation; readonly token: string }) {
  const [agents, setAgents] = useState<readonly AgentCard[]>([])
  useEffect(() => {
    const leaving = new AbortController()
    void fetchAgents(token, leaving.signal).then(setAgents)
    return () => leaving.abort()
  }, [token])
  const tools = new Set(agents.flatMap((agent) => agent.tools))
  const tries = TRY.filter(({ tool }) => tools.has(tool))
  return (
    <div className="empty">
      <Mark size={56} />
      <h2>What would you like to know?</h2>
      <p>A supervisor picks the agent that fits. You see each step it takes.</p>
      {agents.length === 0 ? null : (
        <ul className="agents">
          {agents.map((agent) => (
            <li key={agent.name}>
              <Cell kind="agent" letter={agent.title.slice(0, 1).toUpperCase()} size={22} />
              <div>
                <strong>{agent.title}</strong>
                <span>{agent.description}</span>
              </div>
            </li>
          ))}
        </ul>
      )}
      {tries.length === 0 ? null : (
        <div className="tries">
          {tries.map(({ text }) => (
            <button key={text} type="button" className="button" onClick={() => void conversation.send(text)}>
              {text}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
