export function onlyThrowError(): never {
  throw 'a string'
}
