import type { CharClass } from './char-class.ts'
import { PatternRefused } from './parse-pattern.ts'
import type { Assertion, Node } from './parse-pattern.ts'

/** A step of the machine. `split` tries `to` before `or`: that order is what greedy and lazy mean. */
export type Step =
  | { readonly op: 'char'; readonly accepts: CharClass }
  | { readonly op: 'assert'; readonly at: Assertion }
  | { readonly op: 'split'; to: number; or: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'match' }

/** Bounds the cost of one character of text; counted repetitions are written out. */
export const MAX_PROGRAM_STEPS = 1_000

export function compilePattern(node: Node): readonly Step[] {
  const program: Step[] = []
  emit(node, program)
  push(program, { op: 'match' })
  return program
}

function push<Added extends Step>(program: Step[], step: Added): Added {
  if (program.length >= MAX_PROGRAM_STEPS) throw new PatternRefused(`more than ${MAX_PROGRAM_STEPS} steps`)
  program.push(step)
  return step
}

function emit(node: Node, program: Step[]): void {
  switch (node.kind) {
    case 'char':
      push(program, { op: 'char', accepts: node.accepts })
      return
    case 'assert':
      push(program, { op: 'assert', at: node.at })
      return
    case 'sequence':
      for (const part of node.parts) emit(part, program)
      return
    case 'choice':
      return emitChoice(node.parts, program)
    case 'repeat':
      return emitRepeat(node, program)
  }
}

function emitChoice(parts: readonly Node[], program: Step[]): void {
  const jumps: { to: number }[] = []
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, program)
      break
    }
    const split = push(program, { op: 'split' as const, to: program.length + 1, or: 0 })
    emit(part, program)
    jumps.push(push(program, { op: 'jump' as const, to: 0 }))
    split.or = program.length
  }
  for (const jump of jumps) jump.to = program.length
}

function emitRepeat(node: Extract<Node, { kind: 'repeat' }>, program: Step[]): void {
  for (let count = 0; count < node.min; count++) emit(node.part, program)
  if (node.max === Infinity) {
    const split = push(program, { op: 'split' as const, to: 0, or: 0 })
    const start = program.length
    emit(node.part, program)
    push(program, { op: 'jump', to: start - 1 })
    aim(split, start, program.length, node.lazy)
    return
  }
  const splits: { to: number; or: number; start: number }[] = []
  for (let count = node.min; count < node.max; count++) {
    const split = push(program, { op: 'split' as const, to: 0, or: 0 })
    splits.push(Object.assign(split, { start: program.length }))
    emit(node.part, program)
  }
  for (const split of splits) aim(split, split.start, program.length, node.lazy)
}

function aim(split: { to: number; or: number }, into: number, past: number, lazy: boolean): void {
  split.to = lazy ? past : into
  split.or = lazy ? into : past
}
