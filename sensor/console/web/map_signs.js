// How classes and protocols look on the map: by shape and letters first, by colour besides.

// shape of Cytoscape, and two or three letters.
const CLASSES = {
	plc: ['rectangle', 'PLC'],
	rtu: ['rectangle', 'RTU'],
	ied: ['rectangle', 'IED'],
	safety: ['octagon', 'SIS'],
	robot: ['pentagon', 'ROB'],
	drive: ['ellipse', 'DRV'],
	sensor: ['ellipse', 'SEN'],
	'io-device': ['ellipse', 'I/O'],
	meter: ['ellipse', 'MTR'],
	'building-controller': ['rectangle', 'BMS'],
	gateway: ['hexagon', 'GW'],
	ups: ['ellipse', 'UPS'],
	hmi: ['round-rectangle', 'HMI'],
	'engineering-station': ['round-rectangle', 'ENG'],
	switch: ['diamond', 'SW'],
	'access-point': ['diamond', 'AP'],
	router: ['hexagon', 'RTR'],
	firewall: ['octagon', 'FW'],
	server: ['barrel', 'SRV'],
	historian: ['barrel', 'HIS'],
	workstation: ['round-rectangle', 'WS'],
	camera: ['ellipse', 'CAM'],
	printer: ['ellipse', 'PRN'],
	phone: ['ellipse', 'TEL'],
};
const UNKNOWN = ['round-rectangle', '?'];

// Polygons in a box of 24 by 24, as the map's legend draws them.
const OUTLINES = {
	rectangle: 'M2 5H22V19H2Z',
	'round-rectangle': 'M6 5H18Q22 5 22 9V15Q22 19 18 19H6Q2 19 2 15V9Q2 5 6 5Z',
	diamond: 'M12 2L22 12L12 22L2 12Z',
	hexagon: 'M7 4H17L22 12L17 20H7L2 12Z',
	octagon: 'M8 3H16L21 8V16L16 21H8L3 16V8Z',
	pentagon: 'M12 2L22 10L18 21H6L2 10Z',
	barrel: 'M3 6Q12 2 21 6V18Q12 22 3 18Z',
	ellipse: 'M2 12A10 9 0 0 1 22 12A10 9 0 0 1 2 12Z',
};

export function classSign(name) {
	const [shape, letters] = CLASSES[name] ?? UNKNOWN;
	return { shape, letters, outline: OUTLINES[shape] };
}

const DASHES = { solid: '', dashed: '6 4', dotted: '2 3' };
const LINES = 8;

// The protocols that are most in use have lines of their own, told apart by colour and dashes; all others share one.
export function protocolSigns(protocols) {
	const signs = new Map();
	protocols.forEach(([name], i) => {
		const own = i < LINES;
		const line = own ? ['solid', 'dashed', 'dotted'][i % 3] : 'dotted';
		signs.set(name, { colour: own ? `line-${i + 1}` : 'line-strong', line, dash: DASHES[line] });
	});
	return signs;
}
