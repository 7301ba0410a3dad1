document.title = 'Liandun 联盾';
