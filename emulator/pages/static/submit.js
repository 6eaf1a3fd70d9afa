// Posts the signed response on, as Entra's page does. Without JavaScript the button does it.
document.getElementById("response").submit();
