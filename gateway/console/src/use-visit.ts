import { useEffect, useLayoutEffect, useRef } from 'react'
import type { RefObject } from 'react'

/** A page that covers the chat: its heading gets the focus, and whoever leaves it is back where they came from. */
export function useVisit(): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null)
  const before = useRef<Element | null>(null)
  useLayoutEffect(() => {
    before.current = document.activeElement
    heading.current?.focus()
  }, [])
  useEffect(
    () => () => {
      if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus()
    },
    [],
  )
  return heading
}
