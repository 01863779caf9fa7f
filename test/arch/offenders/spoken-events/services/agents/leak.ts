export function leak(ctx: { emit(type: string, payload: unknown, options: { audience: 'pub' }): void }): void {
  ctx.emit('note:added', { text: 'for colleagues only' }, { audience: 'pub' })
}
