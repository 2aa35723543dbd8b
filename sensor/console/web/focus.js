// Whoever opened a panel with the keyboard goes on where it was opened.
import { useLayoutEffect } from 'preact/hooks';

// Before the panel leaves the page: what is focused while it is removed would leave the focus nowhere.
export function useFocusBack() {
	useLayoutEffect(() => {
		const before = document.activeElement;
		return () => before?.isConnected && before.focus({ preventScroll: true });
	}, []);
}
