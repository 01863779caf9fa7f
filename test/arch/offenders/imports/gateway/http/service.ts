import '#services/agents/main.ts'

export const service = 1
