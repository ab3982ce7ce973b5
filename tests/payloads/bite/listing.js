!function(){var a="0123456789abcdef0123456789abcdef01234567",b=c.createClient({key:a});b.render()}();
