import { useEffect, useState } from 'react'

const THEME = 'waggle.theme'
const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** Put on before the first paint; `auto` follows the system by the style sheet alone. */
export function applyTheme(theme: Theme = storedTheme()): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

export function useTheme(): { readonly theme: Theme; readonly next: () => void } {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  useEffect(() => {
    localStorage.setItem(THEME, theme)
    applyTheme(theme)
  }, [theme])
  return { theme, next: () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto') }
}

function storedTheme(): Theme {
  const stored = localStorage.getItem(THEME)
  return THEMES.find((theme) => theme === stored) ?? 'auto'
}
