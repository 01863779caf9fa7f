export const declare = (program: { command(name: string): unknown }): unknown => program.command('ask <question>')
