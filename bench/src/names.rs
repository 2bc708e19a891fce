//! Names to combine: enough that autocomplete has something to choose from, with a few that folding matters for.

/// First names.
#[rustfmt::skip]
pub(crate) const FIRST: &[&str] = &[
    "Aaron", "Abigail", "Adam", "Adele", "Agnes", "Ahmed", "Aiko", "Alan", "Alba", "Albert", "Alejandro",
    "Alexei", "Alice", "Alina", "Amara", "Amelia", "Amina", "Ana", "André", "Angela", "Anika", "Anton",
    "Arjun", "Astrid", "Aurora", "Ayşe", "Beatriz", "Benjamin", "Birgit", "Boris", "Brian", "Bruno", "Camila",
    "Carlos", "Carmen", "Catalina", "Cecilia", "Chen", "Chloé", "Christine", "Clara", "Conor", "Daisuke",
    "Dalia", "Daniel", "Dariusz", "David", "Deborah", "Diego", "Dimitri", "Dmitri", "Edith", "Eduardo",
    "Eleni", "Elias", "Elif", "Ella", "Emil", "Emma", "Enrique", "Erik", "Esther", "Ethan", "Eva", "Fatima",
    "Felix", "Fernanda", "Finn", "Fiona", "Florian", "François", "Freya", "Gabriel", "Gemma", "George",
    "Giulia", "Grace", "Gustavo", "Hana", "Hannah", "Haruki", "Hassan", "Heidi", "Helena", "Hugo", "Ibrahim",
    "Ida", "Ilse", "Imani", "Inés", "Ingrid", "Irene", "Isaac", "Isabel", "Ivan", "Jakub", "James", "Jana",
    "Jasmine", "Javier", "Jonas", "Jorge", "José", "Julia", "Jun", "Kai", "Karim", "Katarzyna", "Kenji",
    "Klara", "Kwame", "Laila", "Lars", "Laura", "Leila", "Leo", "Liam", "Lin", "Lucía", "Luis", "Magnus",
    "Maja", "Malik", "Marcel", "Maria", "Marta", "Mateo", "Mei", "Mia", "Miguel", "Milan", "Mohamed", "Nadia",
    "Naomi", "Natalia", "Nils", "Nina", "Noah", "Nora", "Olga", "Oliver", "Omar", "Oscar", "Otto", "Pablo",
    "Paula", "Pedro", "Petra", "Philippe", "Priya", "Quentin", "Rafael", "Ravi", "Renata", "Rosa", "Ruth",
    "Salma", "Samuel", "Sandra", "Sara", "Sebastian", "Selin", "Simon", "Sofia", "Stefan", "Sven", "Tariq",
    "Teresa", "Thomas", "Tomás", "Ulrich", "Uma", "Valentina", "Vera", "Viktor", "Wanda", "Wei", "Xavier",
    "Xenia", "Yara", "Yusuf", "Yuki", "Zainab", "Zoë", "Zsófia",
];

/// Last names.
#[rustfmt::skip]
pub(crate) const LAST: &[&str] = &[
    "Abbott", "Acosta", "Adeyemi", "Aguilar", "Ali", "Almeida", "Andersen", "Arslan", "Bailey", "Bakker",
    "Barros", "Bauer", "Becker", "Bennett", "Bergström", "Bianchi", "Blanc", "Borg", "Bouchard", "Brandt",
    "Brown", "Bui", "Campbell", "Cardoso", "Castillo", "Chaudhry", "Chen", "Clarke", "Cohen", "Collins",
    "Contreras", "Costa", "Cruz", "Dahl", "Das", "Delgado", "Demir", "Diallo", "Díaz", "Dubois", "Duarte",
    "Eberhard", "Edwards", "Eriksson", "Espinoza", "Evans", "Farah", "Fernández", "Ferrari", "Fischer",
    "Fitzgerald", "Flores", "Fontaine", "Fujita", "Gallagher", "Garcia", "Gomes", "Gonzalez", "Greco",
    "Gruber", "Gupta", "Haddad", "Hansen", "Harris", "Hashimoto", "Hernández", "Hoffmann", "Holm", "Horvat",
    "Hughes", "Huber", "Ibrahim", "Ito", "Ivanov", "Jackson", "Jansen", "Jensen", "Jiménez", "Johansson",
    "Jung", "Kaminski", "Kaplan", "Karlsson", "Kaur", "Kelly", "Khan", "Kim", "Klein", "Kobayashi", "Kovács",
    "Kowalski", "Kumar", "Lambert", "Larsen", "Laurent", "Lee", "Leroy", "Lewis", "Lindqvist", "Lopez",
    "Lund", "Maier", "Martin", "Martins", "Mazur", "Mehta", "Mendoza", "Meyer", "Mbeki", "Moreau", "Moreno",
    "Morris", "Müller", "Murphy", "Nagy", "Nakamura", "Navarro", "Nguyen", "Nielsen", "Novak", "Nowak",
    "O'Brien", "O'Connor", "Okafor", "Olsen", "Ortiz", "Osei", "Park", "Patel", "Pereira", "Peters", "Petrov",
    "Popescu", "Quinn", "Quiroga", "Rahman", "Ramirez", "Reyes", "Ricci", "Richter", "Rivera", "Roberts",
    "Rodrigues", "Romano", "Rossi", "Roux", "Ruiz", "Saito", "Salazar", "Sánchez", "Santos", "Sato",
    "Schmidt", "Schneider", "Silva", "Singh", "Smith", "Sokolov", "Soto", "Suzuki", "Svensson", "Takahashi",
    "Tan", "Taylor", "Torres", "Tran", "Turner", "Ueda", "Usman", "Vargas", "Vasquez", "Virtanen", "Vogel",
    "Walker", "Wang", "Weber", "White", "Williams", "Wolf", "Wong", "Xu", "Yamamoto", "Yang", "Yılmaz",
    "Young", "Zamora", "Zhang", "Ziegler", "Zimmermann",
];
