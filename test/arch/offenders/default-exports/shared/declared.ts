export default function declared(): void {}
