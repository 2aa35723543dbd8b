// A modal dialogue: the browser keeps the focus inside and gives it back where it came from.
import { useLayoutEffect, useRef } from 'preact/hooks';

export function Dialog({ title, onClose, children }) {
	const element = useRef(null);

	useLayoutEffect(() => {
		const dialog = element.current;
		const before = document.activeElement;
		dialog.showModal();
		return () => {
			dialog.close();
			before?.focus?.();
		};
	}, []);
	return (
		<dialog
			ref={element}
			aria-labelledby="dialog-title"
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
		>
			<h2 id="dialog-title">{title}</h2>
			{children}
		</dialog>
	);
}
