export function noConsole(): void {
  console.log('printed')
}
