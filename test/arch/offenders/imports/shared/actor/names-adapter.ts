import {
  connectNats,
  closeNats,
} from '#shared/nats/connection.ts'

export const namesAdapter = [connectNats, closeNats]
