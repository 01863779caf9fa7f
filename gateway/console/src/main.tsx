import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { resumeSession } from './session-store.ts'
import { applyTheme } from './theme.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/chat.css'
import './styles/staff.css'
import './styles/parts.css'
import './styles/swarm.css'
import './styles/inbox.css'
import './styles/passage.css'
import './styles/knowledge.css'

applyTheme()
resumeSession()
const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
