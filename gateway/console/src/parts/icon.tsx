/** Line icons on a 16-pixel grid, drawn for this page. Decorative: the words beside them say what they mean. */
const PATHS = {
  plus: 'M8 3v10M3 8h10',
  send: 'M8 13V3M3.5 7.5 8 3l4.5 4.5',
  stop: 'M4.5 4.5h7v7h-7z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M14.5 8h-1.3M2.8 8H1.5M12.6 3.4l-.9.9M4.3 11.7l-.9.9M12.6 12.6l-.9-.9M4.3 4.3l-.9-.9',
  moon: 'M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6z',
  auto: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2v12',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  down: 'M8 3v10M3.5 8.5 8 13l4.5-4.5',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 13.5 13.5',
  jump: 'M6 3.5h6.5V10M12.5 3.5 4 12',
  shield: 'M8 1.8 13 3.6v4c0 3-2.1 5.3-5 6.6-2.9-1.3-5-3.6-5-6.6v-4z',
  tool: 'M9.8 2.5a3.6 3.6 0 0 0-3.4 4.8l-4.1 4.1 2.3 2.3 4.1-4.1a3.6 3.6 0 0 0 4.5-4.6L11 7.2 8.9 5.1l2.1-2.2a3.6 3.6 0 0 0-1.2-.4z',
  person: 'M8 2.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M2.8 13.5c.6-2.6 2.6-4 5.2-4s4.6 1.4 5.2 4',
  book: 'M3 3.2h3.6A1.4 1.4 0 0 1 8 4.6v8.6a1.3 1.3 0 0 0-1.3-1.2H3zM13 3.2H9.4A1.4 1.4 0 0 0 8 4.6v8.6a1.3 1.3 0 0 1 1.3-1.2H13z',
  back: 'M13 8H3M7.5 3.5 3 8l4.5 4.5',
  warning: 'M8 2.2 14.3 13H1.7zM8 6.5v3M8 11.2v.1',
  leave: 'M7 3H3.5v10H7M6.5 8h7M10.8 5.3 13.5 8l-2.7 2.7',
  close: 'm4 4 8 8M12 4l-8 8',
  retry: 'M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
