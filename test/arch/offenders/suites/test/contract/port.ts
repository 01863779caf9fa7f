import { suite } from '#test/kit/suite.ts'

export function portContract(name: string): void {
  suite(name, ({ test }) => test('holds', () => undefined))
}
