export function switchExhaustivenessCheck(verdict: 'pass' | 'refuse'): string {
  switch (verdict) {
    case 'pass':
      return 'yes'
  }
  return 'no'
}
